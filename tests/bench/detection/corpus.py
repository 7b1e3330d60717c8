"""The corpus of a comparison: every scenario under every seed, played as a fleet with its past, looked at, kept small.

One case is a folder of Parquet tables: what each detector said under each view, what each look cost, the incidents, and
what the bundled analytics measured. Recordings are deleted once they were looked at. A detector whose code is
that of last time is not asked again, and a case of which nothing is to be asked is not played. Two processes, each with
one case in memory.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
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
from lab.running.sources import sources_sha256, tools
from lab.running.workers import in_order
from lab.scenario import enlarged, find_scenario, load_scenario
from lab.scoring.visibility import unseen
from lab.truth import Truth
from lab.world.past import NOVEL
from tests.bench.detection.board import Content
from tests.bench.detection.enterprises import past_of, sights
from tests.bench.detection.measured import measured_tables
from tests.bench.detection.rows import INCIDENTS, LOOKS, SAID, incident_rows, said
from tests.bench.detection.sources import adapter_digest, closure, digest

ABOUT = "case.json"
SCHEMAS = {"said": SAID, "looks": LOOKS, "incidents": INCIDENTS}
MEASURED = ("polling", "relay")
MEASURES = "measured"


@dataclass(frozen=True)
class Wishes:
    """What is asked of each case besides scenario and seed; ``days`` are those of the past, 0 for none.

    ``detectors``: (name, views under which it is looked at). What a detector says under a view in which it cannot see
    less than under ``full`` need not be asked again: see ``tests.bench.detection.rivals``.
    """

    devices: int
    days: float
    views: tuple[str, ...]
    detectors: tuple[tuple[str, tuple[str, ...]], ...]
    poison: float = 0.0
    novel: float = NOVEL  # of what imitates incidents, the share that is as new as they are
    measures: tuple[str, ...] = ()  # the views under which the bundled analytics are measured


@dataclass(frozen=True)
class Case:
    """One scenario under one seed, as it was looked at: a folder of tables."""

    scenario: str
    seed: int
    folder: Path

    @property
    def about(self) -> dict[str, Any]:
        """The case.json: device-days, apps, seconds, the keys it was made by; empty if there is none."""
        try:
            found: dict[str, Any] = json.loads((self.folder / ABOUT).read_bytes())
        except (OSError, ValueError):
            return {}
        return found

    def table(self, name: str) -> pa.Table | None:
        """One of its tables; None if it has none of that name."""
        path = self.folder / f"{name}.parquet"
        return pq.read_table(path) if path.exists() else None


def gathered(
    scenarios: Sequence[str], seeds: Sequence[int], wishes: Wishes, cache_folder: Path, *, workers: int = 2
) -> list[Case]:
    """Every case, what is missing or stale played and looked at anew, told on standard error as they come.

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
    """Where a case is kept: fleets and pasts of other sizes lie beside each other."""
    kind = f"d{wishes.devices}-p{wishes.days:g}-{wishes.poison:g}-{wishes.novel:g}"
    return cache_folder / kind / f"{scenario}-s{seed}"


def _case(scenario: str, seed: int, wishes: Wishes, cache_folder: str) -> tuple[str, int, str]:
    """Makes one case what it should be; the third value says what went wrong, or is empty."""
    case = Case(scenario, seed, place_of(Path(cache_folder), scenario, seed, wishes))
    try:
        _renewed(case, wishes)
    except Exception as fault:  # noqa: BLE001 - one case that fails must not end a table of hundreds; it is told
        return scenario, seed, f"{type(fault).__name__}: {fault}"
    return scenario, seed, ""


def _renewed(case: Case, wishes: Wishes) -> None:
    """Looks anew with what changed since; plays only if anything did."""
    path = find_scenario(case.scenario)
    asked = f"{wishes.devices} {wishes.days} {wishes.poison} {wishes.novel}"
    scene = f"{_world()} {hashlib.sha256(path.read_bytes()).hexdigest()} {asked}"
    about = case.about
    known = about.get("keys", {}) if about.get("scene") == scene else {}
    wanted = _keys(wishes)
    stale = {name for name, key in wanted.items() if known.get(name) != key}
    if not stale:
        return
    begun = time.process_time()
    kept = {name: _without(case.table(name), stale) if known else None for name in (*SCHEMAS, *MEASURED)}
    new = _looked(path, case.seed, wishes, stale)
    case.folder.mkdir(parents=True, exist_ok=True)
    (case.folder / ABOUT).unlink(missing_ok=True)  # from here on it is no whole case
    for name, old in kept.items():
        parts = [one for one in (old, *new.tables.get(name, ())) if one is not None]
        if parts:
            write_atomic_table(case.folder / f"{name}.parquet", pa.concat_tables(parts, promote_options="default"))
    about = {"scene": scene, "keys": {**known, **wanted}, **new.about, "seconds": round(time.process_time() - begun, 2)}
    (case.folder / ABOUT).write_text(json.dumps(about), encoding="utf-8")


def write_atomic_table(path: Path, table: pa.Table) -> None:
    """Writes a Parquet file, whole or not at all."""
    half = path.with_suffix(".half")
    pq.write_table(table, half)
    half.replace(path)


def _keys(wishes: Wishes) -> dict[str, str]:
    """What is wanted of a case: "detector view" or "measured view", and what decides what it says."""
    keys = {f"{name} {view}": adapter_digest(name) for name, views in wishes.detectors for view in views}
    if wishes.measures:
        made = digest([*closure("detector.adapters.builtin"), Path(__file__).with_name("measured.py")])
        keys |= {f"{MEASURES} {view}": made for view in wishes.measures}
    return keys


def _without(table: pa.Table | None, stale: set[str]) -> pa.Table | None:
    """The rows of a table that are still what would be made; INCIDENTS are always made anew."""
    if table is None or "view" not in table.column_names:
        return None
    who = table["detector"].to_pylist() if "detector" in table.column_names else [MEASURES] * table.num_rows
    fresh = [f"{name} {view}" not in stale for name, view in zip(who, table["view"].to_pylist(), strict=True)]
    return table.filter(pa.array(fresh, pa.bool_()))


@dataclass(frozen=True)
class Looked:
    """What was made anew of a case."""

    tables: dict[str, list[pa.Table]]
    about: dict[str, Any]


def _looked(path: Path, seed: int, wishes: Wishes, stale: set[str]) -> Looked:
    begun = time.process_time()
    (scenario,) = enlarged([load_scenario(path)], wishes.devices or None)
    with tempfile.TemporaryDirectory() as scratch:
        recording = open_recording(record("flows", scenario, seed, Path(scratch) / "of", replace=True))
        truth = recording.truth()
        past = past_of(wishes.days, wishes.poison, wishes.novel)
        looks: list[dict[str, Any]] = []
        rows: list[dict[str, Any]] = []
        hidden: dict[str, tuple[str, ...]] = {}
        tables: dict[str, list[pa.Table]] = {}
        for view, shown in sights(recording, scenario, past, wishes.views, Path(scratch)):
            hidden[view] = unseen(truth, shown)
            for name in (name for name, views in wishes.detectors if view in views and f"{name} {view}" in stale):
                look, found = _look(name, view, shown, truth)
                looks.append(look)
                rows += found
            if f"{MEASURES} {view}" in stale:
                for name, table in measured_tables(shown, truth, view):
                    tables.setdefault(name, []).append(table)
    made = {"said": (rows, SAID), "looks": (looks, LOOKS), "incidents": (incident_rows(truth, hidden), INCIDENTS)}
    tables |= {name: [pa.Table.from_pylist(some, schema=schema)] for name, (some, schema) in made.items()}
    about = {"device_days": truth.device_days, "start": truth.start, "span": truth.span, "twin_of": truth.twin_of}
    apps = sorted(package for _, package in truth.packages)
    return Looked(tables, {**about, "apps": apps, "played_s": round(time.process_time() - begun, 2)})


def _look(name: str, view: str, shown: Telemetry, truth: Truth) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The row of LOOKS and the rows of SAID of one detector under one view."""
    begun = time.process_time()
    place: dict[str, Any] = {"detector": name, "view": view, "status": "scored", "reason": "", "judged": []}
    rows: list[dict[str, Any]] = []
    try:
        one = detector_named(name)
        for table in one.needs:
            shown[table]  # Unsupported, if it has none of that name
        place["judged"] = [*judged(one, shown)]
        rows = said(name, view, truth, list(one.detect(shown)))
    except Unsupported as fault:
        place |= {"status": "unsupported", "reason": str(fault)[:300]}
    except Exception as fault:  # noqa: BLE001 - a detector may raise anything, and its look must be told as failed
        place |= {"status": "failed", "reason": f"{type(fault).__name__}: {fault}"[:300]}
    return {**place, "seconds": time.process_time() - begun}, rows


@cache
def _world() -> str:
    """What decides a recording, its past, what views show of it and what is said of incidents."""
    ours = [Path(__file__).with_name(f"{name}.py") for name in ("corpus", "rows", "enterprises")]
    views = [path for name in ("views", "baseline") for path in closure(f"detector.{name}")]
    return f"{sources_sha256()} {tools()} {digest(sorted({*ours, *views}))}"


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


def content(case: Case) -> Content:
    """The tables of a case, for a board."""
    about = case.about
    said, looks, incidents = (case.table(name) for name in ("said", "looks", "incidents"))
    if said is None or looks is None or incidents is None:
        raise LookupError(f"{case.folder}: found no tables; delete the folder")
    return Content(case.scenario, case.seed, about["device_days"], about["apps"], said, looks, incidents)
