"""detector/thresholds.toml tuned: points' weights, both scores' thresholds, the relay's bridge and threshold.

Only the calibration side is played: its seeds, packages that a keyed hash puts there, no family held out. What is told
is how well the settings do there, and on packages left out of the fit. Nothing is written with --dry.
"""

from __future__ import annotations

import argparse
import hashlib
import math
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
import pyarrow as pa

from detector.settling import Value, settled
from detector.thresholds import BUNDLED, PollingThresholds, load_thresholds
from lab.authoring.held_out import held_out
from lab.scenario import suite_scenarios
from tests.bench.detection import groups, relaying, tuning
from tests.bench.detection.board import Board
from tests.bench.detection.corpus import Case, Wishes, content, gathered, joined
from tests.bench.detection.entrants import OURS
from tests.bench.detection.splits import CALIBRATION, Splits
from tests.bench.detection.sweep import average_precision, threshold_within

ROOT = Path(__file__).resolve().parents[2]
VIEW, POLLING, RELAY = "full", "AN1793", "AN1702"
LOUDEST = 25  # innocents that are told


@dataclass(frozen=True)
class Calibration:
    """The calibration side: its cases, board and splits, and the numbers of the incidents that count."""

    cases: Sequence[Case]
    board: Board
    splits: Splits
    budget: float

    def incidents(self, analytic: str) -> dict[tuple[str, int, str], int]:
        """(scenario, seed, incident) -> number, of what may be tuned on."""
        mine = [
            one
            for one in self.board.incidents
            if one.analytic == analytic and self.splits.tunable(one.seed, one.scenario, one.package)
        ]
        return {(one.scenario, one.seed, one.name): number for number, one in enumerate(mine)}

    def folds(self, analytic: str) -> groups.Int64:
        """(m,) the fold of every incident that counts, by its package."""
        packages = {(one.scenario, one.seed, one.name): one.package for one in self.board.incidents}
        return np.array([groups.fold_of(packages[key]) for key in self.incidents(analytic)], np.int64)

    @property
    def device_days(self) -> float:
        """Those of the apps that may be looked at."""
        return self.board.device_days(range(len(self.cases)), VIEW, CALIBRATION)


def polling(side: Calibration, limits: PollingThresholds) -> PollingThresholds:
    """AN1793 tuned, and told how."""
    table = joined(side.cases, "polling")
    assert table is not None
    incidents = side.incidents(POLLING)
    print(
        f"AN1793: {excused(table, incidents)} of {len(incidents)} incidents may never alert: sanctioned, a role, a list"
    )
    every = groups.groups_of(table, incidents, side.splits.tunable)
    learned, alone = (every.taken(every.columns["learned"] == one) for one in (1.0, 0.0))
    allowed = math.floor(side.budget * side.device_days + 1e-9)
    numbers, folds = [*incidents.values()], side.folds(POLLING)
    print(
        f"AN1793: {len(learned):,} groups, {len(numbers)} incidents, {side.device_days:,.0f} device-days, {allowed} alarms allowed"
    )
    tried = {}
    for penalty in tuning.PENALTIES:
        tried[penalty] = [*tuning.folds(learned, folds, limits, penalty, side.device_days, side.budget)]
        precisions = ", ".join(f"{one.precision:.3f}" for one in tried[penalty])
        print(f"  penalty {penalty:g}, on packages left out: {left_out(tried[penalty])}; AP {precisions}", flush=True)
    best = tuning.chosen(tried)
    print(f"  before: {tuning.told(learned, numbers, limits, side.device_days)}")
    made = tuning.weighed(learned, limits, best)
    made = tuning.thresholds(learned, numbers, made, allowed, "baseline")
    if len(alone):  # told only: within the budget hardly anything is found, so these stay by hand
        print(f"  without a baseline, by hand: {tuning.told(alone, numbers, made, side.device_days)}")
        strict = tuning.thresholds(alone, numbers, made, allowed, "no_baseline")
        print(f"  without a baseline, at the budget: {tuning.told(alone, numbers, strict, side.device_days)}")
    print(f"  tuned, penalty {best:g}: {tuning.told(learned, numbers, made, side.device_days)}")
    print(f"  on packages left out: {left_out(tried[best])}")
    for name, weight in made.points_weights.items():
        print(f"    {name:22} {limits.points_weights[name]:8.3f} -> {weight:8.3f}")
    print("  loudest innocents:")
    for one in tuning.loudest(learned, made, LOUDEST):
        print(f"    {one}")
    print("  missed, of those with six contacts:")
    for one in tuning.missed(learned, made):
        print(f"    {one}")
    return made


def excused(table: pa.Table, incidents: Mapping[tuple[str, int, str], int]) -> int:
    """How many of the incidents have groups, all of which are of what may not alert."""
    names = ("scenario", "seed", "incident", "excused")
    rows = [row for row in zip(*(table[name].to_pylist() for name in names), strict=True) if row[:3] in incidents]
    return len({row[:3] for row in rows} - {row[:3] for row in rows if not row[3]})


def left_out(folds: Sequence[tuning.Fold]) -> tuning.Told:
    """All folds as one."""
    return tuning.summed([one.told for one in folds])


def relay(side: Calibration) -> tuple[dict[str, float], float]:
    """AN1702 tuned: the weights of the bridge, and the threshold that the findings of today's weights ask for."""
    limits = load_thresholds().relay
    table = joined(side.cases, "relay")
    weights = dict(limits.bridge_weights)
    if table is not None:
        windows = relaying.windows_of(table, side.incidents(RELAY), side.splits.tunable)
        made, before, after = relaying.bridged(windows, limits)
        weights = dict(made.bridge_weights)
        print(
            f"AN1702: {len(windows.app):,} windows; average precision {before:.3f}, with fitted weights {after:.3f}: {weights}"
        )
    _, ranked = side.board.ranked(OURS, VIEW, RELAY, CALIBRATION)
    binding = len(ranked.alarms) > side.budget * ranked.device_days
    # it is only raised: what relayed all along keeps known_floor, and must stay below
    threshold = max(threshold_within(ranked, side.budget), limits.threshold) if binding else limits.threshold
    told = f"recall {ranked.recall(threshold)}, {ranked.false_alarms(threshold)} alarms, AP {average_precision(ranked)}"
    print(f"  threshold {threshold:.4f}: {told} of {ranked.device_days:,.0f} device-days")
    return weights, threshold


def provenance(given: argparse.Namespace, names: Sequence[str], side: Calibration) -> dict[str, Value]:
    """What the file says of how it was tuned."""
    digest = hashlib.sha256("\n".join(f"{one.name} {one.sha256}" for one in suite_scenarios(given.suite)[1]).encode())
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    days = f"{given.days:g} days learned before, {given.devices} phones each"
    split = f"calibration: {len(names)} scenarios of suite {given.suite} ({digest.hexdigest()[:12]}), {days}; packages by keyed hash"
    return {
        "split": split,
        "date": date.today().isoformat(),  # noqa: DTZ011 - the day it was tuned on, here
        "seeds": [*given.calibration],
        "budget": given.budget,
        "commit": commit.stdout.strip(),
        "device_days": round(side.device_days, 1),
    }


def main(words: Sequence[str] | None = None) -> int:
    """Plays, tunes, tells, writes."""
    options = argparse.ArgumentParser(description="Tuning of the bundled detector.")
    options.add_argument("--suite", default="full")
    options.add_argument("--every", type=int, default=1)
    options.add_argument("--devices", type=int, default=7)
    options.add_argument("--days", type=float, default=3.0)
    options.add_argument("--calibration", type=int, nargs="+", default=[101, 102])
    options.add_argument("--budget", type=float, default=0.001)
    options.add_argument("--cache", type=Path, default=ROOT / "out" / "bench-detection")
    options.add_argument("--dry", action="store_true")
    given = options.parse_args(words)
    splits = Splits(tuple(given.calibration), (-1,), held_out())
    names = [one.name for one in suite_scenarios(given.suite)[1]][:: given.every]
    names = [name for name in names if name not in splits.held_out]
    wishes = Wishes(given.devices, given.days, (VIEW,), ((OURS, (VIEW,)),), measures=(VIEW,))
    cases = gathered(names, given.calibration, wishes, given.cache)
    side = Calibration(cases, Board([content(one) for one in cases], splits), splits, given.budget)
    made = polling(side, load_thresholds().polling)
    weights, threshold = relay(side)
    if given.dry:
        return 0
    limits = replace(made)
    changes: dict[str, dict[str, Value]] = {
        "AN1793": {"points_resistance": limits.points_resistance},
        "AN1793.points_weights": dict(limits.points_weights),
        "AN1793.product_threshold": dict(limits.product_threshold),
        "AN1793.points_threshold": dict(limits.points_threshold),
        "AN1793.provenance": provenance(given, names, side),
        "AN1702.bridge_weights": dict(weights),
    }
    if math.isfinite(threshold):
        changes["AN1702"] = {"threshold": round(threshold, 4)}
    BUNDLED.write_text(settled(BUNDLED.read_text(encoding="utf-8"), changes), encoding="utf-8")
    print(f"written: {BUNDLED.name}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
