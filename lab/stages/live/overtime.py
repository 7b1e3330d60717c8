"""When a run has had its time, and what it was still waiting for: the reason of one that had to be ended."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping

from lab.stages.live.casting import Relay
from lab.stages.live.pace import Course, Tempo
from lab.stages.live.script import Script

#: Beyond the last planned moment. A slow machine is late by seconds; what is lost, a phone or a sensor, is so for ever:
#: openings of a kind take turns, and hundreds may wait in vain for ten seconds each.
OVERTIME_S = 120.0
NAMED = 5


def left_s(tempo: Tempo, courses: Iterable[Course], relays: Iterable[Relay]) -> float:
    """How long a run may still take: until all that is planned is over, and OVERTIME_S.

    ``courses`` are those of conversations and of devices' states.
    """
    ends = [tempo.epoch_us + course.close_real for course in courses]
    ends += [max(tempo.wall(relay.until), tempo.epoch_us + relay.last_us) for relay in relays]
    return max(ends, default=tempo.epoch_us) / 1e6 + OVERTIME_S - time.time()


def unfinished(scripts: Iterable[Script], doing: Mapping[int, str]) -> str:
    """Why a run that had its time was ended, with what it was at: ``doing`` by conversation; those not in it had ended.

    If no conversation is left, a listener, a proxy or a phone's states are what did not end.
    """
    waiting = [script for script in scripts if script.n in doing]
    counted = Counter(doing[script.n] for script in waiting)
    what = ", ".join(f"{count} at {where}" for where, count in counted.most_common()) or "no conversation is left"
    first = "; ".join(
        f"{script.n} {script.protocol} to {':'.join(map(str, script.server))} at {doing[script.n]}"
        for script in waiting[:NAMED]
    )
    return f"not over {OVERTIME_S:g} s after all that was planned: {what}" + (f"; first {first}" if first else "")
