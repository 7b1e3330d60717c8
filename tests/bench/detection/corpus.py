"""The corpus of a comparison: every scenario under every seed, played as a fleet with its past, looked at, kept small.

One case is a folder of Parquet tables: what each detector said under each view, what each look cost, the incidents, and
what the bundled analytics measured. Recordings are deleted once they were looked at. A case whose sources, scenario and
wishes are those of last time is not played again. Two processes, each with one case in memory.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from detector.contract import Telemetry, Unsupported
from detector.contract import detector as detector_named
from lab.recording import open_recording
from lab.running.look import judged
from lab.running.record import record
from lab.running.workers import in_order
from lab.scenario import find_scenario, load_scenario
from lab.scoring.visibility import unseen
from lab.truth import Truth
from tests.bench.detection.enterprises import enterprise, sights
from tests.bench.detection.measured import measured_tables
from tests.bench.detection.rows import INCIDENTS, LOOKS, SAID, incident_rows, said

ROOT = Path(__file__).resolve().parents[3]
ABOUT = "case.json"


@dataclass(frozen=True)
class Wishes:
    """What is asked of each case besides scenario and seed; ``days`` are those of the past, 0 for none."""

    devices: int
    days: float
    views: tuple[str, ...]
    detectors: tuple[str, ...]
    poison: float = 0.0
    measures: bool = True


@dataclass(frozen=True)
class Case:
    """One scenario under one seed, as it was looked at: a folder of tables."""

    scenario: str
    seed: int
    folder: Path

    @property
    def about(self) -> dict[str, Any]:
        """The case.json: device-days, share of apps by package, seconds, the key it was made by."""
        found: dict[str, Any] = json.loads((self.folder / ABOUT).read_bytes())
        return found

    def table(self, name: str) -> pa.Table | None:
        """One of its tables; None if it has none of that name."""
        path = self.folder / f"{name}.parquet"
        return pq.read_table(path) if path.exists() else None


def gathered(
    scenarios: Sequence[str], seeds: Sequence[int], wishes: Wishes, cache_folder: Path, *, workers: int = 2
) -> list[Case]:
    """Every case, those that are missing or stale played anew, told on standard error as they come.

    Interrupted, it keeps the cases that were finished. A case that fails is told, and left out.
    """
    jobs = [(name, seed, wishes, str(cache_folder)) for seed in seeds for name in scenarios]
    cases: list[Case] = []
    begun = time.monotonic()
    with closing(in_order(_case, jobs, lost=lambda job, why: (job[0], job[1], why), workers=workers)) as finished:
        for done, (name, seed, fault) in enumerate(finished, 1):
            if fault:
                print(f"FAILED {name}, seed {seed}: {fault}", file=sys.stderr, flush=True)
            else:
                cases.append(Case(name, seed, place_of(cache_folder, name, seed, wishes)))
            if done % 10 == 0 or done == len(jobs):
                print(f"{done} of {len(jobs)} cases, {time.monotonic() - begun:,.0f} s", file=sys.stderr, flush=True)
    return cases


def place_of(cache_folder: Path, scenario: str, seed: int, wishes: Wishes) -> Path:
    """Where a case is kept: wishes of another kind lie beside each other."""
    kind = f"d{wishes.devices}-p{wishes.days:g}-{wishes.poison:g}"
    return cache_folder / kind / f"{scenario}-s{seed}"


def _case(scenario: str, seed: int, wishes: Wishes, cache_folder: str) -> tuple[str, int, str]:
    """Plays one case unless it is there; the third value says what went wrong, or is empty."""
    folder = place_of(Path(cache_folder), scenario, seed, wishes)
    path = find_scenario(scenario)
    key = f"{_sources()} {hashlib.sha256(path.read_bytes()).hexdigest()} {json.dumps(asdict(wishes))}"
    try:
        if json.loads((folder / ABOUT).read_bytes())["key"] == key:
            return scenario, seed, ""
    except (OSError, ValueError, KeyError):
        pass
    try:
        _play(path, seed, wishes, folder, key)
    except Exception as fault:  # noqa: BLE001 - one case that fails must not end a table of hundreds; it is told
        return scenario, seed, f"{type(fault).__name__}: {fault}"
    return scenario, seed, ""


def _play(path: Path, seed: int, wishes: Wishes, folder: Path, key: str) -> None:
    begun = time.process_time()
    scenario = enterprise(load_scenario(path), wishes.devices)
    with tempfile.TemporaryDirectory() as scratch:
        recording = open_recording(record("flows", scenario, seed, Path(scratch) / "of", replace=True))
        truth = recording.truth()
        played = time.process_time() - begun
        looks: list[dict[str, Any]] = []
        rows: list[dict[str, Any]] = []
        hidden: dict[str, tuple[str, ...]] = {}
        tables: dict[str, list[pa.Table]] = {}
        for view, shown in sights(recording, scenario, seed, wishes.views, wishes.days, wishes.poison, Path(scratch)):
            hidden[view] = unseen(truth, shown)
            for name in wishes.detectors:
                look, found = _look(name, view, shown, truth)
                looks.append(look)
                rows += found
            for name, table in measured_tables(shown, truth, view) if wishes.measures else ():
                tables.setdefault(name, []).append(table)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ABOUT).unlink(missing_ok=True)  # from here on it is no whole case
    kept = {"said": (rows, SAID), "looks": (looks, LOOKS), "incidents": (incident_rows(truth, hidden), INCIDENTS)}
    for name, (some, schema) in kept.items():
        pq.write_table(pa.Table.from_pylist(some, schema=schema), folder / f"{name}.parquet")
    for name, parts in tables.items():
        pq.write_table(pa.concat_tables(parts, promote_options="default"), folder / f"{name}.parquet")
    about = {"key": key, "device_days": truth.device_days, "start": truth.start, "span": truth.span}
    about |= {"apps": sorted(package for _, package in truth.packages), "twin_of": truth.twin_of}
    about |= {"played_s": round(played, 2), "seconds": round(time.process_time() - begun, 2)}
    (folder / ABOUT).write_text(json.dumps(about), encoding="utf-8")


def _look(name: str, view: str, shown: Telemetry, truth: Truth) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The row of LOOKS and the rows of SAID of one detector under one view."""
    begun = time.process_time()
    place: dict[str, Any] = {"detector": name, "view": view, "status": "scored", "reason": "", "judged": []}
    rows: list[dict[str, Any]] = []
    try:
        one = detector_named(name)
        if lacking := [table for table in one.needs if table not in shown]:
            raise Unsupported(f"needs {', '.join(lacking)}")
        place["judged"] = [*judged(one, shown)]
        rows = said(name, view, truth, list(one.detect(shown)))
    except Unsupported as fault:
        place |= {"status": "unsupported", "reason": str(fault)[:300]}
    except Exception as fault:  # noqa: BLE001 - a detector may raise anything, and its look must be told as failed
        place |= {"status": "failed", "reason": f"{type(fault).__name__}: {fault}"[:300]}
    return {**place, "seconds": time.process_time() - begun}, rows


@cache
def _sources() -> str:
    """The hash of all that decides a case: lab, detector, and the modules beside this one that make rows."""
    digest = hashlib.sha256()
    ours = [Path(__file__).with_name(f"{name}.py") for name in ("corpus", "rows", "enterprises", "measured")]
    for path in [*ours, *sorted(_python(ROOT / "lab")), *sorted(_python(ROOT / "detector"))]:
        digest.update(f"{path.relative_to(ROOT)} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def _python(folder: Path) -> Iterator[Path]:
    yield from (path for path in folder.rglob("*") if path.suffix in {".py", ".toml"} and "_scenarios" not in path.parts)


def joined(cases: Iterable[Case], name: str, more: Callable[[Case], dict[str, Any]] | None = None) -> pa.Table | None:
    """One table of all cases, each row with its scenario and seed; None if no case has it."""
    parts = []
    for case in cases:
        if (table := case.table(name)) is not None and table.num_rows:
            said_of = {"scenario": case.scenario, "seed": case.seed, **(more(case) if more else {})}
            for column, value in said_of.items():
                table = table.append_column(column, pa.array([value] * table.num_rows))
            parts.append(table)
    return pa.concat_tables(parts, promote_options="default") if parts else None
