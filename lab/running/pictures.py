"""What the report draws of a recording: when each incident spoke, what its phone was doing, and how much was said.

Read from truth and telemetry on disk; no detector runs here. What a recording does not hold is an empty list.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from detector.contract import open_telemetry
from lab.recording import Recording, open_recording
from lab.report.gaps import lacking
from lab.report.strips import Strip

if TYPE_CHECKING:
    from lab.truth import Truth

TUPLE = ("client", "client_port", "server", "server_port", "proto")
SAME = 60_000_000  # microseconds between the starts of one conversation as truth and as telemetry have them, at most
Pair = tuple[int, int]
Said = tuple[int, int, int]  # time, bytes up, bytes down


def strips_of(folder: Path) -> list[Strip]:
    """The timing strip of every incident of a recording."""
    recording = open_recording(folder)
    truth = recording.truth()
    spoken = _spoken(recording, truth)
    sizes = _sizes(recording, spoken) if len(spoken) else {}
    times = _times(spoken)
    return [
        Strip(
            scenario=truth.scenario,
            seed=truth.seed,
            incident=one.incident,
            start=truth.start,
            span=truth.span,
            conversations=times.get(one.incident, []),
            sizes=sizes.get(one.incident, []),
            **_states(recording, one.device, truth.start + truth.span),
        )
        for one in truth.incidents
    ]


def empty_tables(folder: Path) -> list[str]:
    """What is to be said of the tables of a recording's telemetry that hold no row."""
    telemetry = open_recording(folder).telemetry
    return lacking({path.stem: pq.read_metadata(path).num_rows for path in sorted(telemetry.glob("*.parquet"))})


def _spoken(recording: Recording, truth: Truth) -> pa.Table:
    """The conversations of the incidents, by start; look-ups made for one are none of it."""
    path = recording.folder / "truth" / "flows.parquet"
    if not path.exists():
        return pa.table({"incident": pa.array([], pa.string())})
    table = pq.read_table(path)
    kinds = {one.incident: one.behaviour for one in truth.incidents}
    table = table.filter(pc.is_valid(table["incident"]))
    own = [kinds.get(row) for row in table["incident"].to_pylist()]
    table = table.filter(pc.equal(table["behaviour"], pa.array(own, pa.string())))
    return table.sort_by("start")


def _times(spoken: pa.Table) -> dict[str, list[Pair]]:
    times: dict[str, list[Pair]] = {}
    if len(spoken):
        for name, *pair in zip(*(spoken[key].to_pylist() for key in ("incident", "start", "end")), strict=True):
            times.setdefault(name, []).append((pair[0], pair[1]))
    return {name: sorted(pairs) for name, pairs in sorted(times.items())}


def _sizes(recording: Recording, spoken: pa.Table) -> dict[str, list[Said]]:
    """Bytes of every exchange of the incidents, or of every conversation where exchanges are not told apart."""
    if not {*TUPLE} <= {*spoken.column_names}:
        return {}
    telemetry = open_telemetry(recording.telemetry)
    if "flows" not in telemetry:
        return {}
    flows = telemetry["flows"]
    met = spoken.select([*TUPLE, "incident", "start"]).rename_columns([*TUPLE, "incident", "began"])
    met = met.join(
        _texts(flows.select([*TUPLE, "flow", "start", "bytes_up", "bytes_down"])), [*TUPLE], join_type="inner"
    )
    met = met.filter(pc.less_equal(pc.abs(pc.subtract(met["start"], met["began"])), SAME))
    if "exchanges" in telemetry:
        asked = telemetry["exchanges"].select(["flow", "start", "bytes_up", "bytes_down"])
        met = met.select(["flow", "incident"]).join(asked, "flow", join_type="inner")
    rows = zip(*(met[key].to_pylist() for key in ("incident", "start", "bytes_up", "bytes_down")), strict=True)
    sizes: dict[str, list[Said]] = {}
    for name, time, up, down in rows:
        sizes.setdefault(name, []).append((time, up, down))
    return {name: sorted(said) for name, said in sorted(sizes.items())}


def _texts(table: pa.Table) -> pa.Table:
    """The table without dictionaries, which pyarrow joins with nothing else."""
    plain = [
        field.with_type(field.type.value_type) if pa.types.is_dictionary(field.type) else field
        for field in table.schema
    ]
    return table.cast(pa.schema(plain))


def _states(recording: Recording, device: str, until: int) -> dict[str, list[Pair]]:
    """From when until when a device was locked, had its screen on, and dozed."""
    path = recording.telemetry / "device_state.parquet"
    held = {"locked": ("locked", True), "screen_on": ("screen_on", True), "dozing": ("power_state", "doze")}
    if not path.exists():
        return {}
    table = pq.read_table(path)
    table = table.filter(pc.equal(table["device"], device)).sort_by("time")
    ends = [*table["time"].to_pylist()[1:], until]
    return {
        name: list(_pairs(table["time"].to_pylist(), ends, table[column].to_pylist(), wanted))
        for name, (column, wanted) in held.items()
        if column in table.column_names
    }


def _pairs(starts: Sequence[int], ends: Sequence[int], values: Sequence[Any], wanted: object) -> Iterable[Pair]:
    """The stretches in which a value is the wanted one, or begins with its text; neighbours are one."""
    held = np.array([str(one).startswith(wanted) if isinstance(wanted, str) else one is wanted for one in values], bool)
    edges = np.flatnonzero(np.diff(np.concatenate(([False], held, [False])).astype(np.int8)))
    return ((starts[first], ends[last - 1]) for first, last in edges.reshape(-1, 2).tolist())
