"""A tuning in words: what was chosen, how sure it is, what it costs, and how it does where it was not chosen."""

from __future__ import annotations

from collections.abc import Iterator

from lab.tuning.result import Tuned, Tuning, told_of
from lab.tuning.sweep import Tally


def lines(found: Tuning) -> Iterator[str]:
    """What to read, knob by knob, and what to do with it at the end."""
    for one in found.knobs:
        yield f"{one.knob.name} of {found.detector} ({one.knob.analytic}, view {found.view})"
        yield from (f"  {line}" for line in _knob(found, one))
    if found.use:
        yield f"written: {found.written}"
        yield f"use:     --detector {found.use}"


def _knob(found: Tuning, one: Tuned) -> Iterator[str]:
    if one.threshold is None:
        yield f"not tuned, {one.knob.value:g} stays: {one.refused}"
        return
    sure = f", 95 % interval {one.interval[0]:g} to {one.interval[1]:g} (bootstrap by device)" if one.interval else ""
    unsure = "" if one.interval else ", no interval: most draws of devices have no threshold"
    yield f"threshold {one.threshold:g}, was {one.knob.value:g}{sure}{unsure}"
    budget = f"{found.budget:g} per device-day pays for {one.allowed} in {one.device_days:,.0f} device-days"
    yield f"budget          {budget}"
    for name, tally in (("before", one.before), ("chosen by", one.inner), ("left out", one.outer)):
        yield f"{name:15} {_told(tally)}"
    if one.outer is None:
        yield "overfit gap     cannot be told: all incidents are of one package or one seed; play more scenarios"
    else:
        yield f"overfit gap     {_gap(one)}"
        lost = one.inner.of - one.outer.of if one.inner else 0
        if lost:
            yield f"not judged      {lost} incidents, without whose package or seed none is left to choose by"
    bars = sorted(cell.threshold for cell in one.cells if cell.threshold is not None)
    none = sum(cell.threshold is None and cell.judged for cell in one.cells)
    if bars:
        yield f"without a part  {bars[0]:g} to {bars[-1]:g} in {len(bars)} of {len(one.cells)} cells, none in {none}"
    if one.floor:
        yield "every finding is affordable: how much lower it could go cannot be told, as weaker ones are not reported"
    if found.differs(one):
        yield f"as configured   {_told(found.confirmed[one.knob.analytic])}: more decides than this threshold"


def _told(one: Tally | None) -> str:
    about = told_of(one)
    if one is None or about is None:
        return "-"
    recall = (
        "-" if one.recall is None else f"{one.recall:.3f} [{about['recall_ci'][0]:.3f}, {about['recall_ci'][1]:.3f}]"
    )
    rate = "-" if one.rate is None else f"{one.rate:.3g} [{about['fa_ci'][0]:.2g}, {about['fa_ci'][1]:.2g}]"
    days = f"{one.false_alarms} in {one.device_days:,.0f} device-days"
    return f"recall {recall} ({one.found} of {one.of}), false alarms {rate} a device-day ({days})"


def _gap(one: Tuned) -> str:
    gap = one.gap or {}
    recall, rate = gap.get("recall"), gap.get("false_alarms_per_device_day")
    parts = ["recall -" if recall is None else f"recall {recall:+.3f}"]
    parts.append("false alarms -" if rate is None else f"false alarms {rate:+.3g} a device-day where it was not chosen")
    return ", ".join(parts)
