"""What the sensors of a live run saw, as telemetry tables in scenario time: sockets, requests, states, packages.

Columns are those of the detector's contract. Times of what belongs to a conversation are its course's; a listener's are
counted from its plan, as its conversations' are; all else runs on the plain clock. Nothing is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from detector.contract import SCHEMAS
from lab.stages.link import Int64
from lab.stages.live.pace import Course, Tempo
from lab.stages.live.tuples import PROTOCOLS, FlowIndex, endpoints
from lab.timeline import App, Timeline

Row = Mapping[str, Any]
Installed = Mapping[str, Sequence[tuple[str, int]]]  # device -> (package, uid)
FIRST_APP_UID = 10_000  # Android: Process.FIRST_APPLICATION_UID
LAUNCHER = "com.android.launcher3"  # of a handset, see handset/image/system/bin/boot
#: A device says how long ago it was touched, so that each reading differs by what asking took.
TOUCH_NOISE_US = 300_000


class Reading(Protocol):
    """The state of a device at one moment, wall clock."""

    @property
    def time_us(self) -> int:
        """When it was read."""
        ...

    @property
    def screen_on(self) -> bool:
        """Whether the screen was on."""
        ...

    @property
    def locked(self) -> bool:
        """Whether the keyguard was shown."""
        ...

    @property
    def foreground(self) -> str | None:
        """The package in front; None: none, or unknown."""
        ...

    @property
    def last_interaction_us(self) -> int | None:
        """When it was last touched; None: unknown."""
        ...

    @property
    def power_state(self) -> str:
        """One of lab.timeline.POWER_STATES."""
        ...


def sockets_of(rows: Sequence[Row], flows: FlowIndex) -> Int64:
    """The conversation of each socket event (columns of ``sockets``, wall clock); -1: none."""
    proto = np.array([PROTOCOLS.get(row["proto"], 0) for row in rows], dtype=np.int64)
    local = endpoints([(row["local_address"], row["local_port"]) for row in rows])
    peer = endpoints([(row["peer_address"], row["peer_port"]) for row in rows])
    return flows.find(proto, local, peer, _times(rows, "time"))


def requests_of(rows: Sequence[Row], flows: FlowIndex) -> Int64:
    """The conversation of each request (columns of ``http``, wall clock); -1: none."""
    client = endpoints([(row["client"], row["client_port"]) for row in rows])
    server = endpoints([(row["server"], row["server_port"]) for row in rows])
    return flows.find(np.full(len(rows), PROTOCOLS["tcp"]), client, server, _times(rows, "time"))


def sockets_table(rows: Sequence[Row], n: Int64, flows: FlowIndex, timeline: Timeline) -> pa.Table:
    """The socket events in the order of time; ``n`` as ``sockets_of`` finds it."""
    wall = _times(rows, "time")
    time = flows.scenario_time(n, wall)
    devices = {device.address: device.name for device in timeline.devices}
    heard = _Listeners(timeline, flows.tempo)
    made = []
    for row, at, mapped, of in zip(rows, wall.tolist(), time.tolist(), n.tolist(), strict=True):
        device = str(row.get("device") or devices.get(row["local_address"], row["local_address"]))
        planned = heard.scenario_time(device, row, at) if of < 0 and row["peer_address"] is None else None
        made.append({**row, "device": device, "time": mapped if planned is None else planned})
    return _sorted("sockets", made)


def requests_table(rows: Sequence[Row], n: Int64, flows: FlowIndex, timeline: Timeline) -> pa.Table:
    """The requests in the order of time; ``n`` as ``requests_of`` finds it, the device by the client's address."""
    devices = {device.address: device.name for device in timeline.devices}
    begin, end = (flows.scenario_time(n, _times(rows, name)).tolist() for name in ("time", "end"))
    made = [
        {**row, "time": first, "end": last, "device": devices.get(row["client"], row["client"])}
        for row, first, last in zip(rows, begin, end, strict=True)
    ]
    return _sorted("http", made)


def states_table(
    readings: Mapping[str, Sequence[Reading]],
    installed: Installed,
    tempo: Tempo,
    courses: Mapping[str, Course],
) -> pa.Table:
    """Each device's first reading and every one that differs from the one before; by device and time.

    ``courses`` (``pace.state_courses``) are those of devices whose state is set on a plan; others: the plain clock.
    """
    rows: list[dict[str, Any]] = []
    for device in sorted(readings):
        uids, course = dict(installed.get(device, ())), courses.get(device)

        def mapped(wall: int, course: Course | None = course) -> int:
            if course is None:
                return int(tempo.scenario_time(np.array([wall]))[0])
            return int(course.scenario_time(np.array([wall - tempo.epoch_us]))[0])

        for one in _changes(sorted(readings[device], key=lambda reading: reading.time_us)):
            touched = one.last_interaction_us
            row = {"device": device, "time": mapped(one.time_us), "power_state": one.power_state}
            row |= {"screen_on": one.screen_on, "locked": one.locked, "foreground_uid": _front(one.foreground, uids)}
            rows.append({**row, "last_interaction": None if touched is None else mapped(touched)})
    return pa.Table.from_pylist(rows, schema=SCHEMAS["device_state"])


def _changes(readings: Sequence[Reading]) -> Iterator[Reading]:
    kept: Reading | None = None
    for one in readings:
        if kept is None or _state(one) != _state(kept) or _touched_between(kept, one):
            kept = one
            yield one


def _state(one: Reading) -> tuple[bool, bool, str | None, str]:
    return one.screen_on, one.locked, one.foreground, one.power_state


def _touched_between(before: Reading, after: Reading) -> bool:
    if before.last_interaction_us is None or after.last_interaction_us is None:
        return before.last_interaction_us is not after.last_interaction_us
    return abs(after.last_interaction_us - before.last_interaction_us) > TOUCH_NOISE_US


def _front(package: str | None, uids: Mapping[str, int]) -> int | None:
    """The uid in front; None for the handset's own launcher, which the contract does not tell from nothing."""
    return None if package is None or package == LAUNCHER else uids.get(package)


def packages_table(
    installed: Mapping[str, Sequence[tuple[str, int]]], timeline: Timeline
) -> tuple[pa.Table, list[str]]:
    """What devices report as installed, with what the inventory knows of it; and where the two disagree, in words.

    netd and other owners below the first app's uid are no packages: they are in the inventory alone.
    """
    known = {(timeline.devices[app.device].name, app.package): app for app in timeline.apps}
    rows, faults = [], []
    for (device, package), app in known.items():
        if app.uid < FIRST_APP_UID:
            rows.append(_package(device, package, app.uid, app))
            continue
        found = dict(installed.get(device, ())).get(package)
        if found != app.uid:
            faults.append(f"{device}: {package}: found uid {found}, expected {app.uid}")
    for device, packages in installed.items():
        system = {package for (name, package), app in known.items() if name == device and app.uid < FIRST_APP_UID}
        rows += [_package(device, p, uid, known.get((device, p))) for p, uid in packages if p not in system]
    rows.sort(key=lambda row: (row["device"], row["uid"], row["package"]))
    return pa.Table.from_pylist(rows, schema=SCHEMAS["packages"]), faults


def _package(device: str, package: str, uid: int, app: App | None) -> dict[str, Any]:
    row: dict[str, Any] = {"device": device, "uid": uid, "package": package}
    if app is None:
        category = "system" if uid < FIRST_APP_UID else "unknown"
        return {**row, "label": package, "category": category, "sanctioned": uid < FIRST_APP_UID, "roles": []}
    about = {name: getattr(app, name) for name in ("label", "category", "sanctioned")}
    return {**row, **about, "roles": list(app.roles)}


class _Listeners:
    """The listeners of the timeline by device and port, for the times of their sockets."""

    def __init__(self, timeline: Timeline, tempo: Tempo) -> None:
        self._tempo = tempo
        self._times: dict[tuple[str, int, str], list[int]] = {}
        for one in timeline.listeners:
            device = timeline.devices[timeline.apps[one.app].device].name
            self._times.setdefault((device, one.port, "listen"), []).append(one.time)
            self._times.setdefault((device, one.port, "close"), []).append(one.until)

    def scenario_time(self, device: str, row: Row, wall: int) -> int | None:
        """As late after the nearest planned time as it really was; None if nothing of the kind was planned."""
        times = self._times.get((device, row["local_port"], row["event"]))
        if not times:
            return None
        real = wall - self._tempo.epoch_us
        late = [real - int((time - self._tempo.start) / self._tempo.speed) for time in times]
        nearest = min(range(len(times)), key=lambda k: abs(late[k]))
        return times[nearest] + late[nearest]


def _times(rows: Sequence[Row], name: str) -> Int64:
    return np.array([row[name] for row in rows], dtype=np.int64)


def _sorted(name: str, rows: list[dict[str, Any]]) -> pa.Table:
    """The table of that name, by time; columns it does not have are left out of it."""
    schema = SCHEMAS[name]
    rows = sorted(rows, key=lambda row: int(row["time"]))
    return pa.table({field.name: pa.array([row[field.name] for row in rows], field.type) for field in schema}, schema)
