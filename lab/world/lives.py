"""The lives of an app on a phone: from when to when it is there, and since when its hosts stand elsewhere.

A behaviour plans each life as if the scenario were that long: it knows nothing of being installed, moved or removed.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from lab.authoring.plans import AppPlan
from lab.behaviours import Batch, Int64, Window
from lab.phones.phone import DAY, Day


@dataclass(frozen=True)
class Life:
    """[since, until) in scenario microseconds; ``moved``: with hosts under the app's second domain."""

    since: int
    until: int
    moved: bool = False


def lives(plan: AppPlan, span: int) -> tuple[Life, ...]:
    """The lives of an app, in order: one, or one before its hosts move and one after, begun anew by the update."""
    until = span if plan.removed is None else min(plan.removed, span)
    if plan.moves is None or plan.moves >= until:
        return (Life(plan.installed, until),) if plan.installed < until else ()
    both = (Life(plan.installed, plan.moves), Life(max(plan.moves, plan.installed), until, moved=True))
    return tuple(life for life in both if life.since < life.until)


def narrowed(window: Window, life: Life) -> Window:
    """What a behaviour may know of that life: every interval cut to it, every time counted from its beginning."""
    if life.since == 0 and life.until == window.span:
        return window
    intervals: dict[str, Any] = {
        field.name: _cut(getattr(window, field.name), life)
        for field in fields(window)
        if isinstance(getattr(window, field.name), np.ndarray)
    }
    days, into = divmod(life.since - window.midnight, DAY)
    today = window.today + days
    return replace(window, span=life.until - life.since, midnight=-into, today=today, **intervals)


def _cut(intervals: Int64, life: Life) -> Int64:
    """Rows [from, until, ...] as far as they lie in that life."""
    found = intervals.copy()
    found[:, :2] = np.clip(found[:, :2], life.since, life.until) - life.since
    return found[found[:, 1] > found[:, 0]]


def later(batch: Batch, life: Life) -> Batch:
    """The batch of that life in the times of the scenario."""
    if life.since == 0:
        return batch
    return replace(
        batch,
        start=batch.start + life.since,
        close=batch.close + life.since,
        x_time=batch.x_time + life.since,
        listen=tuple((at + life.since, until + life.since, port) for at, until, port in batch.listen),
    )


def used_while_there(day: Day, plans: list[AppPlan], span: int) -> Day:
    """The day without the uses of apps that are not on the phone then; uses reaching over an edge are cut."""
    if not len(day.uses) or all(plan.installed == 0 and plan.removed is None for plan in plans):
        return day
    since = np.array([plan.installed for plan in plans], dtype=np.int64)[day.front]
    until = np.array([span if plan.removed is None else plan.removed for plan in plans], dtype=np.int64)[day.front]
    uses = np.stack([np.maximum(day.uses[:, 0], since), np.minimum(day.uses[:, 1], until)], axis=1)
    there = uses[:, 1] > uses[:, 0]
    return replace(day, uses=uses[there], front=day.front[there])
