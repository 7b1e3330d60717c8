"""The telemetry beside the capture: sockets, device states, packages and decrypted requests, as a phone reports them.

Columns are those of the detector's contract. Nothing here may look at incident or behaviour.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from detector.contract import SCHEMAS
from lab.recording import write_parquet
from lab.stages.addresses import address_codes
from lab.stages.labels import Carried, addresses
from lab.stages.link import Links
from lab.stages.requests import Request
from lab.stages.texts import taken
from lab.timeline import POWER_STATES, States, Timeline


def write_sensors(
    timeline: Timeline, links: Links, carried: list[Carried], requests: list[Request], folder: Path
) -> None:
    """Writes sockets, device_state, packages and http into the telemetry folder."""
    write_parquet(folder / "sockets.parquet", sockets_table(timeline, links, Carried.joined(carried)))
    write_parquet(folder / "device_state.parquet", states_table(timeline))
    write_parquet(folder / "packages.parquet", packages_table(timeline))
    write_parquet(folder / "http.parquet", http_table(timeline, links, requests))


def sockets_table(timeline: Timeline, links: Links, carried: Carried) -> pa.Table:
    """A connect or accept and a close with its bytes per conversation, a listen and a close per listener; by time."""
    said, heard = timeline.conversations, timeline.listeners
    lost = said.close >= links.until  # the sockets of a lost address are destroyed at once
    rows = [(one.app, one.port, one.time, one.until) for one in heard]
    ear, port, since, until = np.array(rows, dtype=np.int64).reshape(-1, 4).T
    time = np.concatenate([said.start, np.where(lost, links.until, carried.end), since, until])
    order = np.argsort(time, kind="stable")

    def column(opening: Any, closing: Any, listening: Any, deaf: Any) -> npt.NDArray[Any]:
        parts = zip((opening, closing, listening, deaf), (said.start, said.start, ear, ear), strict=True)
        return np.concatenate([np.broadcast_to(part, like.shape) for part, like in parts])[order]

    def both(said: Any, heard: Any) -> npt.NDArray[Any]:
        return column(said, said, heard, heard)

    local, here = address_codes(links.local, links.book)
    remote, there = address_codes(links.remote, links.book)
    app = both(said.app, ear)
    columns = {
        "time": time[order],
        "device": taken([timeline.devices[one.device].name for one in timeline.apps], app),
        "uid": np.array([one.uid for one in timeline.apps], dtype=np.int32)[app],
        "event": taken(("connect", "accept", "close", "listen"), column(said.inbound.astype(np.int8), 2, 3, 2)),
        "proto": taken(("udp", "tcp"), both(links.tcp.astype(np.int8), 1)),
        "local_address": taken([*here, "0.0.0.0"], both(local, len(here))),  # noqa: S104 - said, nothing is bound
        "local_port": both(links.local_port, port),
        "peer_address": taken(there, both(remote, -1)),
        "peer_port": _known(both(links.remote_port, -1), pa.int32()),
        "bytes_up": _known(column(-1, carried.bytes_up, -1, -1), pa.int64()),
        "bytes_down": _known(column(-1, carried.bytes_down, -1, -1), pa.int64()),
    }
    return _table("sockets", columns)


def _known(column: npt.NDArray[Any], kind: pa.DataType) -> pa.Array:
    """Numbers that are not negative; -1 is null."""
    return pa.array(column, kind, mask=column < 0)


def states_table(timeline: Timeline) -> pa.Table:
    """The device states; by device and time, as the timeline has them."""
    states = timeline.states
    uid = np.array([*(app.uid for app in timeline.apps), -1], dtype=np.int32)[states.foreground]
    columns = {
        "time": states.time,
        "device": taken([device.name for device in timeline.devices], states.device),
        "screen_on": states.screen_on,
        "locked": states.locked,
        "foreground_uid": pa.array(uid, pa.int32(), mask=states.foreground < 0),
        "last_interaction": _user_activity(states),
        "power_state": taken(POWER_STATES, states.power),
    }
    return pa.table(columns, SCHEMAS["device_state"])


def _user_activity(states: States) -> np.ndarray[Any, np.dtype[np.int64]]:
    """What a phone calls its last user activity: a touch, or the waking of its screen, by whomever.

    AOSP, PowerManagerService: waking up is user activity (USER_ACTIVITY_EVENT_OTHER); a notification's light counts.
    """
    first = np.ones(len(states.time), dtype=np.bool_)
    first[1:] = states.device[1:] != states.device[:-1]
    before = np.append(False, states.screen_on[:-1]) & ~first
    woke = np.where(states.screen_on & ~before, states.time, states.last_interaction)
    made = np.maximum(woke, states.last_interaction)
    for begin, end in pairwise([*np.flatnonzero(first).tolist(), len(made)]):
        made[begin:end] = np.maximum.accumulate(made[begin:end])
    return made


def packages_table(timeline: Timeline) -> pa.Table:
    """What is installed where; by device and uid, so that the order says nothing."""
    rows = [
        {
            "device": timeline.devices[app.device].name,
            "uid": app.uid,
            "package": app.package,
            "label": app.label,
            "category": app.category,
            "sanctioned": app.sanctioned,
            "roles": list(app.roles),
        }
        for app in timeline.apps
    ]
    rows.sort(key=lambda row: (row["device"], row["uid"], row["package"]))
    return pa.Table.from_pylist(rows, schema=SCHEMAS["packages"])


def http_table(timeline: Timeline, links: Links, requests: list[Request]) -> pa.Table:
    """The requests that crossed the gateway; by time."""
    requests = sorted(requests, key=lambda request: (request.time, request.conversation))
    of = np.array([request.conversation for request in requests], dtype=np.int64)
    device = np.array([timeline.devices[app.device].name for app in timeline.apps], dtype=object)
    seen = ("time", "end", "sni", "host", "method", "path", "status", "bytes_up", "bytes_down", "user_agent")
    columns: dict[str, Any] = {name: [getattr(request, name) for request in requests] for name in seen}
    columns |= {
        "device": device[timeline.conversations.app[of]],
        "client": addresses(links.local[of], links.book),
        "client_port": links.local_port[of],
        "server": addresses(links.remote[of], links.book),
        "server_port": links.remote_port[of],
    }
    return _table("http", columns)


def _table(name: str, columns: Mapping[str, Any]) -> pa.Table:
    schema = SCHEMAS[name]
    found = ((columns[field.name], field.type) for field in schema)
    return pa.table([one if isinstance(one, pa.Array) else pa.array(one, kind) for one, kind in found], schema=schema)
