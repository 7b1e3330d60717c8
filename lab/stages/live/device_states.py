"""A phone's day: the timeline's states told to the phone when they are due, and what the phone then says of itself.

The recording holds what the phone said. Commands and readings go through one adb connection per phone, one at a time;
where they cannot keep pace, states that are already over are skipped and counted, never told late.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from lab.stages.live.pace import Course
from lab.stages.live.threads import in_thread
from lab.timeline import POWER_STATES, Timeline

BEHIND_US = 250_000  # a state whose successor is due this long already is over


@dataclass(frozen=True)
class Wanted:
    """A state to be reached at a real time of the run, microseconds."""

    real_us: int
    screen_on: bool
    locked: bool
    foreground: str | None  # package
    power: str  # one of POWER_STATES
    interaction: bool  # somebody touched the phone just then


class Told(Protocol):
    """The part of lab.devices.Phone that is needed here; its calls block."""

    def set_state(
        self, *, screen_on: bool, locked: bool, foreground: str | None, power: str, interaction: bool
    ) -> None:
        """By the commands Android has."""
        ...

    def read_state(self) -> Any:
        """A ``Reading``."""
        ...


@dataclass
class DeviceDay:
    """One phone's states of a run. ``readings`` is what the phone said, ``faults`` what it could not be told."""

    phone: Told
    wanted: Sequence[Wanted]
    epoch_us: int
    readings: list[Any] = field(default_factory=list)
    skipped: int = 0
    faults: list[str] = field(default_factory=list)

    async def live(self) -> None:
        """Until the last state is told; the first fault ends the day, and is kept."""
        for index, state in enumerate(self.wanted):
            following = self.wanted[index + 1].real_us if index + 1 < len(self.wanted) else None
            now = time.time_ns() // 1_000 - self.epoch_us
            if following is not None and now > following + BEHIND_US:
                self.skipped += 1
                continue
            await asyncio.sleep(max(0.0, (state.real_us - now) / 1e6))
            try:
                self.readings.append(await in_thread(self._told, state))
            except (OSError, RuntimeError, ValueError) as fault:
                self.faults.append(f"device state: {fault}")
                return

    def _told(self, state: Wanted) -> Any:
        self.phone.set_state(
            screen_on=state.screen_on,
            locked=state.locked,
            foreground=state.foreground,
            power=state.power,
            interaction=state.interaction,
        )
        return self.phone.read_state()


def account(days: Collection[DeviceDay]) -> dict[str, int]:
    """How many states were ``told``, how many ``skipped``, and how many readings do not say all: ``unread``.

    A reading without a time of this machine's clock is not in the recording; one without screen, lock or power is.
    """
    told = [reading for day in days for reading in day.readings]
    unread = sum(reading.lab_time_us() is None or None in _said(reading) for reading in told)
    return {"told": len(told), "skipped": sum(day.skipped for day in days), "unread": unread}


def _said(reading: Any) -> tuple[Any, ...]:
    return reading.screen_on, reading.locked, reading.power_state


def wanted_states(timeline: Timeline, device: int, course: Course) -> list[Wanted]:
    """The states of one device, each when its course (``pace.state_courses``) says."""
    states = timeline.states
    found, touched = [], None
    for row, real_us in zip(
        np.flatnonzero(states.device == device).tolist(), course.message_real.tolist(), strict=True
    ):
        app, last = int(states.foreground[row]), int(states.last_interaction[row])
        found.append(
            Wanted(
                real_us=real_us,
                screen_on=bool(states.screen_on[row]),
                locked=bool(states.locked[row]),
                foreground=timeline.apps[app].package if app >= 0 else None,
                power=POWER_STATES[int(states.power[row])],
                interaction=last != touched,
            )
        )
        touched = last
    return found
