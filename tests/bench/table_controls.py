"""How far the controls that know one thing stay below the bundled detector, on the flows stage, suite by suite.

Every scenario of the largest suite is played once and scored once; a smaller suite is scored from those trials of it.
Prints the Markdown table of docs/benchmarks.md. Intervals are of a bootstrap over pairs of twins, which are what the
suites are made of (Efron, 1979, percentiles).
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from lab.phones.calendar import DAY
from lab.scenario import load_all, load_suite, suite_scenarios
from lab.score import KNOWING, score
from lab.scoring.easiness import CLEARLY_BELOW
from lab.scoring.outcomes import TrialResult, outcomes
from lab.world.past import Past

SUITES = ("core", "polling", "relay", "full")
TESTED, VIEW, BUDGET = "builtin", "full", 0.001
DRAWS, SEED, OUTER = 1_000, 1, (2.5, 97.5)
Float64 = npt.NDArray[np.float64]


def played(suites: Sequence[str], seeds: int, days: float, folder: Path, workers: int = 1) -> list[TrialResult]:
    """The trials of every scenario of those suites, played one by one: a recording is deleted when it was looked at.

    So many ``days`` before each are learned from; 0 for none.
    """
    from lab.running.trial import Plan, load_run, run_suite

    names = dict.fromkeys(name for suite in suites for name in load_suite(suite).scenarios)
    found: list[TrialResult] = []
    for number, scenario in enumerate(load_all([*names]), 1):
        where = folder / scenario.name
        numbers, past = tuple(range(1, 1 + seeds)), Past(round(days * DAY)) if days else None
        run_suite(Plan(scenario.name, [scenario], numbers, "flows", past=past, explained=False), where, workers=workers)
        found += [trial for trial in load_run(where) if trial.detector in {TESTED, *KNOWING}]
        shutil.rmtree(where)
        print(f"{number} of {len(names)}: {scenario.name}", file=sys.stderr, flush=True)
    return found


class Ranking:
    """The findings of one detector about one analytic, best first, and how many incidents each pair of twins has."""

    def __init__(self, trials: Iterable[TrialResult], analytic: str, pairs: dict[str, int]) -> None:
        rows: list[tuple[float, bool, int]] = []
        self.relevant = np.zeros(max(pairs.values()) + 1)
        for trial in trials:
            met, strays = outcomes(trial)
            pair = pairs[trial.scenario]
            mine = [one for one in met if one.incident.analytic == analytic]
            self.relevant[pair] += len(mine)
            rows += [(one.best.score, True, pair) for one in mine if one.best]
            rows += [(one.finding.score, False, pair) for one in strays if one.finding.analytic == analytic]
        rows.sort(key=lambda row: -row[0])
        self.hit = np.array([hit for _, hit, _ in rows], dtype=np.bool_)
        self.pair = np.array([pair for *_, pair in rows], dtype=np.int64)
        scores = np.array([value for value, *_ in rows], dtype=np.float64)
        self.last = np.flatnonzero(np.append(scores[1:] != scores[:-1], True)) if rows else np.zeros(0, np.int64)

    def precision(self, weight: Float64) -> float:
        """Average precision with pairs weighing that much: as lab.scoring.ranking has it, ties being one step."""
        relevant = float(weight @ self.relevant)
        if not relevant or not len(self.hit):
            return 0.0
        of = weight[self.pair]
        hits, seen = (np.cumsum(part)[self.last] for part in (of * self.hit, of))
        return float((np.diff(hits, prepend=0.0) * hits / np.maximum(seen, 1e-12)).sum() / relevant)


def shares(best: Ranking, control: Ranking) -> tuple[float, float]:
    """The 95 % interval of the control's average precision as a share of the detector's, over draws of pairs."""
    rng = np.random.default_rng(SEED)
    n = len(best.relevant)
    drawn = rng.multinomial(n, np.full(n, 1 / n), size=DRAWS).astype(np.float64)
    both = np.array([(control.precision(one), best.precision(one)) for one in drawn])
    some = both[both[:, 1] > 0]
    low, high = np.percentile(some[:, 0] / some[:, 1], OUTER) if len(some) else (np.nan, np.nan)
    return float(low), float(high)


def table(suite: str, trials: Sequence[TrialResult]) -> list[str]:
    """The rows of a suite: per analytic and control both measures, and the control's share of the detector's."""
    name, scenarios = suite_scenarios(suite)
    members = {one.name: one.twin_of or one.name for one in scenarios}
    number = {pair: place for place, pair in enumerate(sorted({*members.values()}))}
    pairs = {scenario: number[pair] for scenario, pair in members.items()}
    mine = [trial for trial in trials if trial.scenario in members]
    seeds = len({trial.seed for trial in mine})
    card = score(mine, suite=name, seeds=seeds, budget=BUDGET)
    lines = []
    for analytic, best in card.detectors[TESTED]["views"][VIEW]["analytics"].items():
        if not best["incidents"]:
            continue
        ranked = {
            who: Ranking([one for one in mine if one.detector == who and one.status == "scored"], analytic, pairs)
            for who in (TESTED, *KNOWING)
        }
        for control in KNOWING:
            found = card.detectors[control]["views"][VIEW]["analytics"][analytic]
            low, high = shares(ranked[TESTED], ranked[control])
            share = found["pr_auc"] / best["pr_auc"] if best["pr_auc"] else float("inf")
            far = "below" if high < CLEARLY_BELOW else "not shown" if share < CLEARLY_BELOW else "TOO EASY"
            recall = f"{best['recall_at_budget']:.2f} | {found['recall_at_budget']:.2f}"
            about = f"{analytic} | {best['incidents']} | {control} | {best['pr_auc']:.2f} | {found['pr_auc']:.2f}"
            lines.append(f"| {name} | {about} | {share:.2f} ({low:.2f} to {high:.2f}) | {recall} | {far} |")
    return lines


HEAD = (
    "| suite | analytic | incidents | control | AP builtin | AP control | share of it (95 %) "
    "| recall at budget, builtin | control | at 0.9 |\n|---|---|--:|---|--:|--:|---|--:|--:|---|"
)


def main(words: Sequence[str] | None = None) -> int:
    """Plays and prints."""
    options = argparse.ArgumentParser(description="Controls held against the bundled detector.")
    options.add_argument("suites", nargs="*", default=[*SUITES])
    options.add_argument("--seeds", type=int, default=1)
    options.add_argument("--days", type=float, default=3.0, help="days that are learned from before; 0: none")
    given = options.parse_args(words)
    begun = time.process_time()
    with tempfile.TemporaryDirectory() as scratch:
        trials = played(given.suites, given.seeds, given.days, Path(scratch))
    failed = [trial for trial in trials if trial.status == "failed"]
    print(HEAD)
    for suite in given.suites:
        print("\n".join(table(suite, trials)), flush=True)
    print(f"\n{len(trials)} trials, {len(failed)} failed, {time.process_time() - begun:,.0f} CPU s.")
    for trial in failed[:20]:
        print(f"failed: {trial.scenario}, {trial.detector}: {trial.reason}", file=sys.stderr)
    return 3 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
