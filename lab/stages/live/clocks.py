"""Both clocks of a live run: when each conversation was planned and when it was, and how to get real times back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from lab.stages.live.mapping import Mapped
from lab.stages.live.pace import Course
from lab.stages.live.script import Played, Script

#: One row per conversation. Times named real are wall clock, us since the epoch; nulls: it had no socket, no frame.
CLOCK = pa.schema(
    [
        ("n", pa.int64()),
        ("planned", pa.int64()),  # scenario time of its opening
        ("planned_real_us", pa.int64()),  # after the run's start
        ("opened_real", pa.int64()),
        ("closed_real", pa.int64()),
        ("first", pa.int64()),  # scenario time of its first frame
        ("late_us", pa.int64()),  # first - planned
        ("sent", pa.int64()),  # plain bytes, as its client counts them
        ("received", pa.int64()),
        ("carried_up", pa.int64()),  # TCP or UDP payload in the capture, what was sent again included
        ("carried_down", pa.int64()),
        ("error", pa.string()),
    ]
)
#: The knots of each conversation's course (pace.Course.knots); from each one on its slope holds, see lab/run.json.
ANCHORS = pa.schema([(name, pa.int64()) for name in ("n", "scenario", "real", "rise", "run")])


def clock_table(
    scripts: Sequence[Script], courses: Mapping[int, Course], played: Sequence[Played], mapped: Mapped
) -> pa.Table:
    """CLOCK, in the timeline's order."""
    outcome = {one.n: one for one in played}
    rows = [_row(script, courses[script.n], outcome.get(script.n), mapped) for script in scripts]
    return pa.Table.from_pylist(rows, schema=CLOCK)


def _row(script: Script, course: Course, one: Played | None, mapped: Mapped) -> dict[str, Any]:
    n, carried = script.n, mapped.carried
    seen = bool(carried.packets_up[n] + carried.packets_down[n])
    row: dict[str, Any] = {"n": n, "planned": script.start, "planned_real_us": course.open_real}
    row |= {"carried_up": int(carried.bytes_up[n]), "carried_down": int(carried.bytes_down[n])}
    if seen:
        row |= {"first": int(mapped.first[n]), "late_us": int(mapped.first[n]) - script.start}
    if one is None:
        return {**row, "error": "never played"}
    if one.client is not None:
        row |= {"opened_real": one.opened_us, "closed_real": one.closed_us}
    return {**row, "sent": one.sent, "received": one.received, "error": one.error}


def anchors_table(courses: Mapping[int, Course]) -> pa.Table:
    """ANCHORS, by conversation and time."""
    parts = [(n, courses[n].knots()) for n in sorted(courses)]
    columns = {
        "n": np.concatenate([np.zeros(0, dtype=np.int64), *(np.full(len(knots[0]), n) for n, knots in parts)]),
        **{
            name: np.concatenate([np.zeros(0, dtype=np.int64), *(knots[k] for _, knots in parts)])
            for k, name in enumerate(ANCHORS.names[1:])
        },
    }
    return pa.table({name: pa.array(column, pa.int64()) for name, column in columns.items()}, ANCHORS)
