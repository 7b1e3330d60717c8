"""When a behaviour speaks through one day, over what its phone does meanwhile: counts and shares in equal cells.

Read off a compiled timeline; it prints nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lab.timeline import POWER_STATES, Timeline

DAY = 86_400_000_000
CELLS = 48  # of a day: half an hour each
ASLEEP = tuple(POWER_STATES.index(name) for name in ("doze-light", "doze-deep"))
Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Strip:
    """One behaviour of one app on one device, in the 24 h (or the span, if less) in which it first speaks.

    ``exchanges`` are counted per cell; ``in_use`` (unlocked, screen on) and ``doze`` are shares of each cell.
    """

    device: str
    package: str
    behaviour: str
    analytic: str | None
    start_s: float  # since the scenario's start
    length_s: float
    exchanges: tuple[int, ...]
    in_use: tuple[float, ...]
    doze: tuple[float, ...]


def strips(timeline: Timeline, wanted: Iterable[tuple[str, str]]) -> Iterator[Strip]:
    """The strips of these (package, kind of behaviour) on the first device that speaks so; none if nobody does."""
    said, x = timeline.conversations, timeline.exchanges
    packages = [app.package for app in timeline.apps]
    for package, kind in wanted:
        own = [row for row, name in enumerate(packages) if name == package]
        mine = np.isin(said.app, own) & (said.behaviour == timeline.behaviours.index(kind))
        if not mine.any():
            continue
        first = int(said.app[mine][0])
        rows = mine & (said.app == first)
        incident = int(said.incident[rows].max())
        analytic = timeline.incidents[incident].analytic if incident >= 0 else None
        times = x.time[rows[x.conversation]]
        yield _strip(timeline, timeline.apps[first].device, (package, kind, analytic), times)


def _strip(timeline: Timeline, device: int, who: tuple[str, str, str | None], times: Int64) -> Strip:
    begin, length = _day(timeline, times)
    cell = (times - begin) * CELLS // length
    counts = np.bincount(cell[(cell >= 0) & (cell < CELLS)], minlength=CELLS)
    states = timeline.states
    mine = states.device == device
    edges = np.append(states.time[mine], timeline.start + timeline.span)
    in_use = states.screen_on[mine] & ~states.locked[mine]
    doze = np.isin(states.power[mine], ASLEEP)
    return Strip(
        timeline.devices[device].name,
        *who,
        (begin - timeline.start) / 1e6,
        length / 1e6,
        tuple(counts.tolist()),
        *(_shares(edges, flag, begin, length) for flag in (in_use, doze)),
    )


def _day(timeline: Timeline, times: Int64) -> tuple[int, int]:
    """The day of the scenario in which the first exchange falls, moved back where the span ends before it."""
    length = min(DAY, timeline.span)
    first = int(times.min()) - timeline.start if len(times) else 0
    begin = min(max(first, 0) // DAY * DAY, timeline.span - length)
    return timeline.start + begin, length


def _shares(edges: Int64, flag: npt.NDArray[np.bool_], begin: int, length: int) -> tuple[float, ...]:
    """The share of each cell in which the flag holds; row i holds from edges[i] to edges[i + 1]."""
    held = np.append(0, np.cumsum(np.diff(edges) * flag)).astype(np.float64)
    bounds = begin + np.arange(CELLS + 1) * length / CELLS
    until = np.interp(bounds, edges.astype(np.float64), held)
    return tuple(np.round(np.diff(until) * CELLS / length, 3).tolist())
