"""The comparison of detectors: docs/detection-results.md and a part of docs/detector.md anew, verdicts printed.

Every scenario of a suite is played as a fleet, with its past, under seeds of two sides; thresholds are frozen on one and
judged on the other. What was played is kept in a cache, so that an interrupted comparison goes on where it was. Numbers
are no reason to fail: only looks that failed are.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from detector.thresholds import load_thresholds
from lab.authoring.held_out import held_out
from lab.scenario import suite_scenarios
from tests.bench.detection import ablation, groups, novelty, pages, poisoning
from tests.bench.detection.board import Board
from tests.bench.detection.corpus import Case, Wishes, content, gathered, joined
from tests.bench.detection.entrants import OURS, VIEWS, alike, asked, costly, entrants
from tests.bench.detection.splits import CALIBRATION, TEST, Splits
from tests.bench.detection.tables import BUDGET
from tests.bench.detection.verdicts import verdicts

ROOT = Path(__file__).resolve().parents[2]


def _gathered(given: argparse.Namespace, scenarios: Sequence[str], seeds: Sequence[int]) -> list[Case]:
    """The cases of one side; the costly are asked under its first seed alone."""
    cases = []
    for number, seed in enumerate(seeds):
        names = [one for one in given.detectors if not (number and costly(one))]
        measures = () if given.brief else ("full",)
        asking = asked(names, given.views)
        wishes = Wishes(given.devices, given.days, tuple(given.views), asking, measures=measures)
        cases += gathered(scenarios, [seed], wishes, given.cache)
    return cases


@dataclass(frozen=True)
class Played:
    """What was played: the cases of both sides, and the board of them."""

    cases: Sequence[Case]
    board: Board
    failed: Sequence[str]


def compared(given: argparse.Namespace) -> Played:
    """Both sides, played and looked at, and what failed."""
    names = [one.name for one in suite_scenarios(given.suite)[1]][:: given.every]
    splits = Splits(tuple(given.calibration), tuple(given.test), held_out())
    tuned = [name for name in names if name not in splits.held_out]
    sides = ((tuned, splits.calibration), (names, splits.test))
    cases = [case for some, seeds in sides for case in _gathered(given, some, seeds)]
    contents = [content(case) for case in cases]
    missing = sum(len(some) * len(seeds) for some, seeds in sides) - len(cases)
    failed = [f"{missing} cases"] if missing else []
    failed += [
        f"{row['detector']} under {row['view']}: {row['reason']}"
        for one in contents
        for row in one.looks.to_pylist()
        if row["status"] == "failed"
    ]
    return Played(cases, Board(contents, splits, alike(given.detectors, given.views)), failed)


def ablated(played: Played) -> list[str]:
    """The table of AN1793 without each factor."""
    splits, limits = played.board.splits, load_thresholds().polling
    sides = []
    for side, wanted in ((CALIBRATION, splits.tunable), (TEST, lambda seed, _scenario, _package: seed in splits.test)):
        table = joined(played.cases, "polling")
        assert table is not None
        mine = [one for one in played.board.incidents if one.analytic == "AN1793"]
        mine = [one for one in mine if wanted(one.seed, one.scenario, one.package)]
        incidents = {(one.scenario, one.seed, one.name): number for number, one in enumerate(mine)}
        found = groups.groups_of(table, incidents, wanted)
        learned = found.taken(found.columns["learned"] == 1.0)
        days = played.board.device_days(played.board.judging(OURS, "full", "AN1793", side), "full", side)
        sides.append(ablation.Side(learned, [*incidents.values()], days))
    before, after = sides
    return ablation.table(before, after, limits, BUDGET)


def poisoned(given: argparse.Namespace, played: Played) -> list[str]:
    """The table of implants that were there while the baseline was learned; scenarios with incidents, one seed."""
    splits = played.board.splits
    seed = splits.test[0]
    guilty = sorted({one.scenario for one in played.board.incidents if one.seed == seed})
    boards = {}
    for share in given.poison:
        wishes = Wishes(given.devices, given.days, ("full",), ((OURS, ("full",)),), poison=share)
        boards[share] = Board([content(one) for one in gathered(guilty, [seed], wishes, given.cache)], splits)
    return poisoning.table(played.board, boards, ("AN1793", "AN1702"))


def imitated(given: argparse.Namespace, played: Played) -> list[str]:
    """The table of look-alikes that are new; every scenario, one seed."""
    splits = played.board.splits
    seed = splits.test[0]
    names = sorted({one.scenario for one in played.cases if one.seed == seed})
    boards = {}
    for share in given.novel:
        wishes = Wishes(given.devices, given.days, ("full",), ((OURS, ("full",)),), novel=share)
        boards[share] = Board([content(one) for one in gathered(names, [seed], wishes, given.cache)], splits)
    return novelty.table(played.board, boards, ("AN1793", "AN1702"))


def main(words: Sequence[str] | None = None) -> int:
    """Plays, compares, writes, prints."""
    options = argparse.ArgumentParser(description="Comparison of detectors.")
    options.add_argument("--suite", default="full")
    options.add_argument("--every", type=int, default=1, help="only every so manieth scenario")
    options.add_argument("--devices", type=int, default=7, help="phones of each scenario")
    options.add_argument("--days", type=float, default=3.0, help="days of the past")
    options.add_argument("--calibration", type=int, nargs="+", default=[101, 102])
    options.add_argument("--test", type=int, nargs="+", default=[1, 2])
    options.add_argument("--views", nargs="+", default=[*VIEWS])
    options.add_argument("--detectors", nargs="+", default=[*entrants()])
    options.add_argument("--poison", type=float, nargs="*", default=[0.01, 0.05, 0.3])
    options.add_argument("--novel", type=float, nargs="*", default=[0.0, 0.01, 0.1, 0.5])
    options.add_argument("--brief", action="store_true", help="no ablation, poisoning or novelty")
    options.add_argument("--cache", type=Path, default=ROOT / "out" / "bench-detection")
    options.add_argument("--docs", type=Path, default=ROOT / "docs")
    given = options.parse_args(words)
    played = compared(given)
    board, failed = played.board, played.failed
    told = [*verdicts(board, given.detectors, given.views)]
    further = {}
    if not given.brief:
        further["AN1793 without each factor, thresholds chosen anew"] = ablated(played)
        if given.days and given.poison:
            further["Implants that were there while the baseline was learned"] = poisoned(given, played)
        if given.days and given.novel:
            further["Look-alikes that are new"] = imitated(given, played)
    made = pages.Made(given.suite, given.devices, given.days, given.detectors, given.views, told, further, failed)
    pages.write(board, made, given.docs)
    print("\n".join(told))
    for line in failed[:20]:
        print(f"failed: {line}", file=sys.stderr)
    return 3 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
