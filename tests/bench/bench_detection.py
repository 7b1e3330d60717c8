"""The comparison of detectors: docs/detection-results.md and a part of docs/detector.md anew, verdicts printed.

Every scenario of a suite is played as a fleet, with its past, under seeds of two sides; thresholds are frozen on one and
judged on the other. What was played is kept in a cache, so that an interrupted comparison goes on where it was. Numbers
are no reason to fail: only looks that failed are.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from lab.authoring.held_out import held_out
from lab.scenario import suite_scenarios
from tests.bench.detection import pages
from tests.bench.detection.board import Board, Content
from tests.bench.detection.corpus import Case, Wishes, gathered
from tests.bench.detection.entrants import VIEWS, alike, asked, costly, entrants
from tests.bench.detection.splits import Splits
from tests.bench.detection.verdicts import verdicts

ROOT = Path(__file__).resolve().parents[2]


def content(case: Case) -> Content:
    """The tables of a case, for a board."""
    about = case.about
    said, looks, incidents = (case.table(name) for name in ("said", "looks", "incidents"))
    if said is None or looks is None or incidents is None:
        raise LookupError(f"{case.folder}: found no tables; delete the folder")
    return Content(case.scenario, case.seed, about["device_days"], about["apps"], said, looks, incidents)


def _gathered(given: argparse.Namespace, scenarios: Sequence[str], seeds: Sequence[int]) -> list[Case]:
    """The cases of one side; the costly are asked under its first seed alone."""
    cases = []
    for number, seed in enumerate(seeds):
        names = [one for one in given.detectors if not (number and costly(one))]
        wishes = Wishes(given.devices, given.days, tuple(given.views), asked(names, given.views))
        cases += gathered(scenarios, [seed], wishes, given.cache)
    return cases


def compared(given: argparse.Namespace) -> tuple[Board, list[str]]:
    """The board of a comparison, and what failed."""
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
    return Board(contents, splits, alike(given.detectors, given.views)), failed


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
    options.add_argument("--cache", type=Path, default=ROOT / "out" / "bench-detection")
    options.add_argument("--docs", type=Path, default=ROOT / "docs")
    given = options.parse_args(words)
    board, failed = compared(given)
    told = [*verdicts(board, given.detectors, given.views)]
    made = pages.Made(given.suite, given.devices, given.days, given.detectors, given.views, told, failed=failed)
    pages.write(board, made, given.docs)
    print("\n".join(told))
    for line in failed[:20]:
        print(f"failed: {line}", file=sys.stderr)
    return 3 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
