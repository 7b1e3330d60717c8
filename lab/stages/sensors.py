"""The telemetry beside the capture: sockets, device states, packages and decrypted requests, as a phone reports them.

Columns are those of the detector's contract. Nothing here may look at incident or behaviour.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from detector.contract import SCHEMAS
from lab.recording import write_parquet
from lab.stages.labels import Carried, addresses
from lab.stages.link import Links
from lab.stages.requests import Request
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
    said, count = timeline.conversations, len(timeline.conversations.start)
    uid = np.array([app.uid for app in timeline.apps], dtype=np.int32)
    device = np.array([timeline.devices[app.device].name for app in timeline.apps], dtype=object)
    opened: dict[str, Any] = {
        "device": device[said.app],
        "uid": uid[said.app],
        "proto": np.where(links.tcp, "tcp", "udp").astype(object),
        "local_address": addresses(links.local, links.book),
        "local_port": links.local_port,
        "peer_address": addresses(links.remote, links.book),
        "peer_port": links.remote_port,
        "bytes_up": [None] * count,
        "bytes_down": [None] * count,
    }
    opening = {**opened, "time": said.start, "event": np.where(said.inbound, "accept", "connect").astype(object)}
    counted = {"bytes_up": carried.bytes_up, "bytes_down": carried.bytes_down}
    lost = said.close >= links.until  # the sockets of a lost address are destroyed at once
    closing = {
        **opened,
        **counted,
        "time": np.where(lost, links.until, carried.end),
        "event": np.full(count, "close", dtype=object),
    }
    heard = [_listening(timeline, event) for event in ("listen", "close")]
    tables = [_table("sockets", part) for part in (opening, closing, *heard)]
    whole = pa.concat_tables(tables)
    return whole.take(pa.array(np.argsort(whole["time"].to_numpy(), kind="stable")))


def _listening(timeline: Timeline, event: str) -> dict[str, list[Any]]:
    rows = [(listener, timeline.apps[listener.app]) for listener in timeline.listeners]
    return {
        "time": [one.time if event == "listen" else one.until for one, _ in rows],
        "device": [timeline.devices[app.device].name for _, app in rows],
        "uid": [app.uid for _, app in rows],
        "event": [event for _ in rows],
        "proto": ["tcp" for _ in rows],
        "local_address": ["0.0.0.0" for _ in rows],  # noqa: S104 - what a socket table says, nothing is bound
        "local_port": [one.port for one, _ in rows],
        "peer_address": [None for _ in rows],
        "peer_port": [None for _ in rows],
        "bytes_up": [None for _ in rows],
        "bytes_down": [None for _ in rows],
    }


def states_table(timeline: Timeline) -> pa.Table:
    """The device states; by device and time, as the timeline has them."""
    states = timeline.states
    uid = np.array([*(app.uid for app in timeline.apps), -1], dtype=np.int32)[states.foreground]
    names = np.array([device.name for device in timeline.devices], dtype=object)
    columns = {
        "time": states.time,
        "device": names[states.device],
        "screen_on": states.screen_on,
        "locked": states.locked,
        "foreground_uid": pa.array(uid, pa.int32(), mask=states.foreground < 0),
        "last_interaction": _user_activity(states),
        "power_state": np.array(POWER_STATES, dtype=object)[states.power],
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
    return pa.table({field.name: pa.array(columns[field.name], field.type) for field in schema}, schema)
