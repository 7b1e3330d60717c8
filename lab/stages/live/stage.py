"""A live recording from beginning to end: lab, plan, run, certificate, and the recording made of what was seen."""

from __future__ import annotations

import asyncio
import datetime as dt
import mmap
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import replace as changed
from pathlib import Path
from typing import Any

from detector.contract import Advance
from lab.console import say
from lab.devices.adb import AdbServer
from lab.errors import EvidenceError, ScenarioError, StageError
from lab.protocols.handshakes.certificates import Authority
from lab.recording import recording_name
from lab.stages.live.casting import (
    Relay,
    Sight,
    refuse_unknown,
    refuse_unplayable,
    refuse_unspeakable,
    relays_of,
    sight,
)
from lab.stages.live.device_states import account
from lab.stages.live.gateway.gateway import DAYS
from lab.stages.live.gateway.overheard import events, http_rows, noted_faults
from lab.stages.live.lifecycle import borrowed
from lab.stages.live.livelab import LiveLab
from lab.stages.live.pace import Course, courses, held_back, state_courses
from lab.stages.live.plan import PAYLOAD, write_plan
from lab.stages.live.ports import told_of
from lab.stages.live.provision import Ready, provision
from lab.stages.live.reach import Reach
from lab.stages.live.recorder import Evidence, write_recording
from lab.stages.live.run import Run, run_name
from lab.stages.live.script import Script, write_scripts
from lab.stages.live.topology.sockets import socket_rows
from lab.stages.wire import refuse_occupied
from lab.store import folder_in_the_making
from lab.timeline import Timeline

NEXT = "read it with --allow-partial, or record it again with --force"
WORTH_A_WORD_S = 60
SKIPPED = 0.05  # of a run's states: more than that are worth a word


@dataclass(frozen=True)
class Planned:
    """What a run is to play; ``trusted`` is the PEM of the authorities that each conversation's client trusts."""

    scripts: list[Script]
    courses: dict[int, Course]
    sight: Sight
    relays: list[Relay]
    trusted: Callable[[int], str]


def record_live(
    timeline: Timeline,
    folder: Path,
    *,
    speed: float,
    lab: str | None,
    pin: Sequence[str],
    passthrough: Sequence[str],
    replace: bool,
    progress: Advance | None,
) -> Path:
    """See ``lab.stages.live.play``."""
    recording_name(folder)
    refuse_occupied(folder, replace=replace)
    if not speed >= 1:
        raise ScenarioError([f"--speed: found {speed:g}, expected 1 or more: the live stage does not stretch time"])
    refuse_unknown(timeline, pin=pin, passthrough=passthrough)
    with borrowed(len(timeline.devices), lab, say) as live, _run_folder(live) as plan:
        planned = _planned(live, timeline, plan, speed=speed, pin=pin, passthrough=passthrough)
        with AdbServer.start(live.session.folder / "adb") as server, _mapped(plan / PAYLOAD) as payload:
            ready = provision(live, timeline, planned.scripts, server)
            run = Run(
                lab=live,
                name=plan.name,
                timeline=timeline,
                scripts=planned.scripts,
                courses=planned.courses,
                sight=planned.sight,
                relays=planned.relays,
                reach=Reach(timeline, ready.phones, ready.abilities),
                sensors=ready.sensors,
                payload=payload,
                trusted=planned.trusted,
                speed=speed,
                progress=progress or (lambda _done, _total: None),
            )
            asyncio.run(run.play())
        reason = _written(folder, run, ready)
        _told_of_states(account(run.days.values()))
    return _told(folder, reason, interrupted=run.interrupted)


def _planned(
    live: LiveLab, timeline: Timeline, plan: Path, *, speed: float, pin: Sequence[str], passthrough: Sequence[str]
) -> Planned:
    """Writes the plan, for the servers to read."""
    refuse_unspeakable(timeline)
    scripts = write_scripts(timeline, plan / PAYLOAD)
    refuse_unplayable(scripts)
    seen = sight(timeline, scripts, pin=pin, passthrough=passthrough)
    paced = courses(scripts, timeline.start, speed)
    relays = relays_of(timeline, scripts, paced)
    _warn(paced, timeline, speed)
    _foretell(paced, speed)
    authority = _authority()
    write_plan(plan, scripts, paced, authority, live.trusted())
    _readable(plan)
    return Planned(scripts, paced, seen, relays, _trust(live, authority, seen))


def _written(folder: Path, run: Run, ready: Ready) -> str:
    """Writes the recording, and removes what it was made of; why it is not complete."""
    with folder_in_the_making(folder) as making:
        reason = write_recording(making, _evidence(run, ready))
    for path in run.lab.folder("rec").glob(f"{run.name}.*"):
        path.unlink()
    return reason


def _told(folder: Path, reason: str, *, interrupted: bool) -> Path:
    """The recording, if it is whole; else what its maker must know of it, now that it is written."""
    if interrupted:
        say(f"{folder} holds what was recorded until the interrupt; {NEXT}")
        raise KeyboardInterrupt
    if reason:
        raise EvidenceError(f"{folder}: the run is not complete: {reason}; {NEXT}")
    return folder


def _evidence(run: Run, ready: Ready) -> Evidence:
    timeline, rec = run.timeline, run.lab.folder("rec")
    heard = rec / f"{run.name}.jsonl"
    sockets = []
    for index, seen in run.events.items():
        within = [event for event in seen if run.opened_us <= event["time_us"] <= run.closed_us]
        sockets += socket_rows(within, timeline.devices[index].name)
    requests, odd = _requests(heard, {device.address: device.name for device in timeline.devices})
    return Evidence(
        timeline=timeline,
        scripts=run.scripts,
        courses=run.courses,
        played=run.played(),
        epoch_us=run.tempo.epoch_us,
        speed=run.speed,
        captures=[rec / f"{run.name}.pcap"],
        sockets=sockets,
        requests=requests,
        intercepted=run.sight.expected,
        readings={timeline.devices[index].name: _on_our_clock(day.readings) for index, day in run.days.items()},
        installed=ready.installed,
        containment=run.certificate,
        gateway_events=heard,
        faults=[*noted_faults(rec, run.name), *run.faults, *odd],
        versions={"docker": run.lab.engine.version},
        state_courses=state_courses(timeline, run.speed),
        counted=run.counted,
        remarks={
            "servers": run.servers.to_json(),
            "states": account(run.days.values()),
            "unplanned": told_of(run.player.ports.unplanned),
        },
    )


def _requests(heard: Path, names: dict[str, str]) -> tuple[list[dict[str, Any]], list[str]]:
    """What the gateway overheard, and what is wrong with it: a run is no less recorded for that."""
    try:
        return (http_rows(events(heard), names).to_pylist() if heard.is_file() else []), []
    except StageError as fault:
        return [], [str(fault)]


def _on_our_clock(readings: Sequence[Any]) -> list[Any]:
    """The readings with times of this machine's clock; those that do not say when they are are left out."""
    made = []
    for reading in readings:
        time_us, touched = reading.lab_time_us(), reading.last_interaction_us
        if time_us is not None:
            touched = touched - reading.clock_offset_us if touched is not None else None
            made.append(changed(reading, time_us=time_us, last_interaction_us=touched))
    return made


def _trust(lab: LiveLab, authority: Authority, seen: Sight) -> Callable[[int], str]:
    """Whom the apps of a conversation trust: the origin, and mitmproxy unless the app pins."""
    origin = authority.own.certificate.decode("ascii")
    both = lab.trusted() + origin
    return lambda n: origin if n in seen.pinning else both


def _authority() -> Authority:
    now = dt.datetime.now(dt.UTC)  # noqa: TID251 - a certificate's validity, no verdict
    return Authority("droidrange origin", (now - dt.timedelta(hours=1), now + dt.timedelta(days=DAYS, hours=-1)))


def _told_of_states(states: dict[str, int]) -> None:
    """Phones that could not keep pace differ from the scenario; that is no fault of the recording, which has them."""
    wanted = states["told"] + states["skipped"]
    if states["skipped"] > SKIPPED * wanted:
        say(
            f"{states['skipped']} of {wanted} device states were over before the phones could be told: see lab/run.json"
        )


def _foretell(paced: dict[int, Course], speed: float) -> None:
    """How long the run takes, where that is long enough to go away meanwhile."""
    lasts_s = max((course.close_real for course in paced.values()), default=0) / 1e6
    if lasts_s > WORTH_A_WORD_S:
        faster = "; --speed 60 lets idle time pass faster" if speed == 1 else ""
        say(f"playing takes about {lasts_s / 60:.0f} minutes{faster}")


def _warn(paced: dict[int, Course], timeline: Timeline, speed: float) -> None:
    late = held_back(paced, timeline.start, speed)
    if late:
        worst = max(late.values()) / 1e6
        say(
            f"{len(late)} conversations have more to say than --speed {speed:g} leaves time for; they run up to "
            f"{worst:.1f} s behind, their recorded times stay those of the scenario"
        )


@contextmanager
def _run_folder(lab: LiveLab) -> Iterator[Path]:
    """A folder of the lab's plans for this run; it goes when the run does."""
    folder = lab.folder("plan") / run_name()
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _readable(folder: Path) -> None:
    """Whatever this user's umask is, the servers, who run under a uid of their own, can read the plan."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


@contextmanager
def _mapped(path: Path) -> Iterator[memoryview]:
    """A file's bytes without reading it; empty files cannot be mapped."""
    with path.open("rb") as file:
        if not path.stat().st_size:
            yield memoryview(b"")
            return
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped, memoryview(mapped) as view:
            yield view
