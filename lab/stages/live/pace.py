"""Real and scenario time of each conversation: idle gaps divided by the speed, bursts of messages as they are.

Pure arithmetic on microseconds: no clock, no file, no packet. The law: what may be a reaction to what went before it
belongs to the same burst and keeps its distance; bursts begin at their scenario time divided by the speed, or when the
one before has had its time. Back from real to scenario time, a delay of L inside a burst is a delay of L.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lab.stages.link import Int64
from lab.stages.live.script import Script
from lab.timeline import Timeline

#: A person does not answer and no timer of a scenario fires within this of what was just said: people react to a page
#: in 200-250 ms at best (simple reaction time), and Nagle and delayed ACKs (RFC 1122: below 500 ms, Linux 40-200 ms)
#: end within it. So what follows sooner is part of what came before. The conversation's own round trip is added.
GAP_US = 250_000
#: A server's answer is awaited: up to here its thinking stays real, as the contract's exchanges do (EXCHANGE_IDLE_US).
#: Beyond, waiting is idleness: a long poll of a minute must not take a minute.
AWAITED_US = 2_000_000
#: Between the end of a burst and the next one's due time: a delayed ACK (40 ms) and a late burst keep their own clock.
REST_US = 80_000
RAMP_US = 15_000  # before a burst is due, scenario time catches up: it runs at its own pace until then
EARLY_US = 5_000  # and has caught up by then: timers that fire early are early by as much in scenario time, not more


@dataclass(frozen=True)
class Course:
    """One conversation's course in both clocks: b bursts, shared by a proxied pair, and its own k messages.

    ``scenario`` is in us since the epoch, real times are in us after the run's start, both ascend strictly.
    """

    scenario: Int64  # (b,) when each burst begins
    real: Int64  # (b,) when it is due
    lasts: Int64  # (b,) how long it is planned to last, real us
    message_real: Int64  # (k,) when the first byte of each message is due
    message_burst: Int64  # (k,) the burst each message is part of
    open_real: int
    close_real: int

    def scenario_time(self, real_us: Int64) -> Int64:
        """The scenario times of real ones: strictly monotone, exact at every anchor, slope 1 beyond the outermost.

        From EARLY_US before a burst is due it has slope 1 and keeps it until RAMP_US before the next one is due.
        """
        scenario, real, rise, run = self.knots()
        place = np.maximum(np.searchsorted(real, real_us, side="right") - 1, 0)
        mapped: Int64 = scenario[place] + (real_us - real[place]) * rise[place] // run[place]
        return mapped

    def real_time(self, scenario_us: Int64) -> Int64:
        """The real times that ``scenario_time`` maps to these: its exact inverse."""
        scenario, real, rise, run = self.knots()
        place = np.maximum(np.searchsorted(scenario, scenario_us, side="right") - 1, 0)
        mapped: Int64 = real[place] - (-(scenario_us - scenario[place]) * run[place] // rise[place])
        return mapped

    def knots(self) -> tuple[Int64, Int64, Int64, Int64]:
        """Where the slope changes: scenario and real time, and rise over run from there on; all of it is in them.

        Rise is never below run, so flooring maps no two microseconds to one, and ramps are short, so products fit.
        """
        leaves = self.real[1:] - RAMP_US
        leaving = self.scenario[:-1] + (leaves - self.real[:-1])
        enters, entering = self.real[1:] - EARLY_US, self.scenario[1:] - EARLY_US
        ones = np.ones(len(leaves), dtype=np.int64)
        scenario = np.append(self.scenario[0], np.stack([leaving, entering], axis=1).ravel())
        real = np.append(self.real[0], np.stack([leaves, enters], axis=1).ravel())
        rise = np.append(1, np.stack([entering - leaving, ones], axis=1).ravel())
        run = np.append(1, np.stack([enters - leaves, ones], axis=1).ravel())
        return scenario, real, rise, run


@dataclass(frozen=True)
class Tempo:
    """The plain clock of a run, for what belongs to no conversation: ``speed`` times as fast from its start on."""

    epoch_us: int  # wall clock at the run's start, us since the epoch
    start: int  # scenario time at the run's start, us since the epoch
    speed: float

    def scenario_time(self, wall_us: Int64) -> Int64:
        """The scenario times of wall clock times; before the run's start nothing is fast yet."""
        real = wall_us - self.epoch_us
        mapped: Int64 = self.start + np.where(real < 0, real, np.floor(real * self.speed).astype(np.int64))
        return mapped

    def wall(self, scenario_us: int) -> int:
        """The wall clock at a scenario time of the run."""
        return self.epoch_us + int((scenario_us - self.start) / self.speed)


def courses(scripts: Sequence[Script], start: int, speed: float) -> dict[int, Course]:
    """The course of each conversation, by its number, of a run that begins at scenario time ``start``.

    A conversation and the one whose proxy dials it (``via``) share their bursts. ValueError unless ``speed`` is at
    least 1 and all begin at ``start`` or later: the live stage does not stretch time.
    """
    if not speed >= 1:
        raise ValueError(f"speed: found {speed!r}, expected 1 or more")
    groups: dict[int, list[Script]] = {}
    known = {script.n for script in scripts}
    for script in scripts:
        groups.setdefault(script.via if script.via in known and script.via is not None else script.n, []).append(script)
    return {script.n: course for group in groups.values() for script, course in _paced(group, start, speed)}


def planned(times: Int64, start: int, speed: float) -> Course:
    """The course of what is done at these scenario times (ascending), one message each: a device's changes of state."""
    firsts = np.append(0, np.flatnonzero(np.diff(times) > GAP_US) + 1)
    scenario = times[firsts]
    lasts = times[np.append(firsts[1:] - 1, len(times) - 1)] - scenario
    real = _spread(scenario, lasts, start, speed)
    burst, due = _dated(times, scenario, real)
    return Course(scenario, real, lasts, due, burst, int(due[0]), int(due[-1]))


def state_courses(timeline: Timeline, speed: float) -> dict[str, Course]:
    """The course of each device's changes of state, by its name, ``message_real`` in the order of the timeline."""
    states = timeline.states
    times = {device.name: states.time[states.device == k] for k, device in enumerate(timeline.devices)}
    return {name: planned(own, timeline.start, speed) for name, own in times.items() if len(own)}


def thinks(script: Script, course: Course) -> Int64:
    """(k,) real us a server lets pass between the last byte of what it was asked and its answer, round trip excluded.

    In a burst the script's own; where the answer is in a later burst than what was asked, what the course leaves of it.
    """
    asked = np.maximum.accumulate(np.where(script.from_client, np.arange(len(script.begin)), -1))
    answers = ~script.from_client & ~script.pushed & (asked >= 0)
    to, by = asked[answers], np.flatnonzero(answers)
    heard = course.message_real[to] + script.end[to] - script.begin[to]
    left = course.message_real[by] - heard - (0 if script.inbound else script.rtt_us)
    made = script.think.copy()
    same = course.message_burst[to] == course.message_burst[by]
    made[by] = np.where(same, script.think[by], np.maximum(left, 0))
    return made


def span_real(courses: Mapping[int, Course]) -> int:
    """How long a run takes, us: more than its span divided by the speed where bursts do not fit."""
    return max((int(course.real[-1] + course.lasts[-1]) for course in courses.values()), default=0)


def held_back(courses: Mapping[int, Course], start: int, speed: float) -> dict[int, int]:
    """The conversations whose bursts cannot all begin at their time divided by the speed -> the longest delay, us."""
    late = {n: int((c.real - _due(c.scenario, start, speed)).max()) for n, c in courses.items()}
    return {n: delay for n, delay in late.items() if delay > 0}


def _due(scenario: Int64, start: int, speed: float) -> Int64:
    due: Int64 = np.floor((scenario - start) / speed).astype(np.int64)
    return due


def _paced(group: list[Script], start: int, speed: float) -> list[tuple[Script, Course]]:
    """The scripts of a group with their courses."""
    begin, end, awaited = (np.concatenate(part) for part in zip(*map(_events, group), strict=True))
    if begin.min() < start:
        raise ValueError(f"conversation {group[0].n} begins at {begin.min()}, before the run's start {start}")
    order = np.argsort(begin, kind="stable")
    begin, end, awaited = begin[order], end[order], awaited[order]
    over = np.maximum.accumulate(end)
    slack = max(script.rtt_us for script in group)
    idle = begin[1:] - over[:-1] > np.where(awaited[1:], AWAITED_US, GAP_US) + slack
    firsts = np.append(0, np.flatnonzero(idle) + 1)
    scenario, ended = begin[firsts], over[np.append(firsts[1:] - 1, len(over) - 1)]
    lasts = ended - scenario
    lasts[0] += max(_handshake(script) for script in group)
    real = _spread(scenario, lasts, start, speed)
    return [(script, _own(script, scenario, real, lasts)) for script in group]


def _spread(scenario: Int64, lasts: Int64, start: int, speed: float) -> Int64:
    """When each burst is due: on its time divided by the speed, but after the one before, and never slower than 1."""
    due = _due(scenario, start, speed).tolist()
    steps = np.diff(scenario).tolist()
    for k, (step, last) in enumerate(zip(steps, lasts[:-1].tolist(), strict=True), 1):
        due[k] = min(max(due[k], due[k - 1] + last + REST_US), due[k - 1] + step)
    return np.array(due, dtype=np.int64)


def _events(script: Script) -> tuple[Int64, Int64, np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    """Begin and end of a conversation's opening, messages and close, and whether each is an awaited answer."""
    trip = script.rtt_us if script.transport == "tcp" else 0
    begin = np.concatenate([[script.start], script.begin, [script.close]]).astype(np.int64)
    end = np.concatenate([[script.start + trip], script.end, [script.close + trip]]).astype(np.int64)
    answers = ~script.from_client & ~script.pushed
    return begin, end, np.concatenate([[False], answers, [False]])


def _handshake(script: Script) -> int:
    """What a TLS handshake adds to the first burst, real us: no script has it, two round trips is TLS 1.2's."""
    return 2 * script.rtt_us if script.tls else 0


def _own(script: Script, scenario: Int64, real: Int64, lasts: Int64) -> Course:
    begin, _, _ = _events(script)
    burst, due = _dated(begin, scenario, real)
    return Course(scenario, real, lasts, due[1:-1], burst[1:-1], int(due[0]), int(due[-1]))


def _dated(times: Int64, scenario: Int64, real: Int64) -> tuple[Int64, Int64]:
    """The burst each scenario time belongs to, and when it is due."""
    burst: Int64 = np.searchsorted(scenario, times, side="right") - 1
    return burst, real[burst] + times - scenario[burst]
