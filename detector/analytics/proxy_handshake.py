"""Proxy requests this device was asked to fulfil: SOCKS4, SOCKS5 and HTTP CONNECT greetings read on the wire.

Decisive alone: whoever grants such a request relays, whatever its traffic looks like later. A device that only asks
a proxy is a client and never reported. Raised wrongly by nothing but a policy that allows the relay.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from detector.answered import answered
from detector.columns import NULL, Codes, Int64, codes, numbered, whole
from detector.contacts import Flows, hosts
from detector.destinations import is_local, is_loopback

Bool = npt.NDArray[np.bool_]
#: A connection to the requested target within that time after the request is its onward leg.
ONWARD_US = 10_000_000


@dataclass(frozen=True)
class Asked:
    """The proxy requests one app on one device was asked to fulfil and did not refuse."""

    device: str
    uid: int | None
    package: str | None
    requests: int
    protocols: tuple[str, ...]
    targets: tuple[str, ...]
    askers: tuple[str, ...]
    granted: bool  # at least one answer granted; False: no answer was seen
    reverse: bool  # the device itself had dialled out to whoever asked
    onward: int  # flows opened to a requested target within ten seconds of the request
    elsewhere: str | None  # why this is no device of ours, as a phrase
    first: int
    last: int
    decided: int


def asked_to_relay(table: pa.Table, flows: Flows, exchanges: pa.Table | None) -> Iterator[Asked]:
    """What each (device, app) was asked to relay, from the proxy columns of a flows table."""
    proxy, end = codes(table["proxy"]), codes(table["proxy_server"])
    granted = whole(table["proxy_granted"])
    at_server = np.array([text == "server" for text in end.texts] + [False])[end.code]
    mine = (proxy.code != NULL) & (end.code != NULL) & (at_server == (flows.inbound == 1)) & (granted != 0)
    rows = np.flatnonzero(mine)
    if not len(rows):
        return
    client, target = codes(table["client"]), codes(table["proxy_target"])
    onward, answered = _onward(rows, flows, hosts(target)), _answered(rows, flows, exchanges, proxy)
    group, _ = numbered(flows.device.code[rows], flows.uid[rows], flows.package.code[rows])
    order = np.argsort(group, kind="stable")
    for places in np.split(order, np.cumsum(np.bincount(group))[:-1]):
        members = rows[places]
        row, yes = int(members[0]), granted[members] == 1
        yield Asked(
            device=flows.device.text(row) or "",
            uid=None if flows.uid[row] == NULL else int(flows.uid[row]),
            package=flows.package.text(row),
            requests=len(members),
            protocols=tuple(proxy.of(members)),
            targets=tuple(target.of(members)),
            askers=tuple(_askers(members, at_server, client, flows.server)),
            granted=bool(yes.any()),
            reverse=bool((~at_server[members]).any()),
            onward=int(onward[places].sum()),
            elsewhere=_elsewhere(members, at_server, client, flows.server),
            first=int(flows.start[members].min()),
            last=int(flows.end[members].max()),
            decided=int(answered[places[yes] if yes.any() else places].min()),
        )


def _askers(rows: Int64, at_server: Bool, client: Codes, server: Codes) -> list[str]:
    return sorted({*client.of(rows[at_server[rows]]), *server.of(rows[~at_server[rows]])})


def _onward(rows: Int64, flows: Flows, wanted: Codes) -> Bool:
    """(m,) whether the device opened a flow to the name or address that each request asked for, soon after it."""
    outbound = np.flatnonzero(flows.inbound == 0)
    known = {text: k for k, text in enumerate(wanted.texts)}
    reached = [
        np.array([known.get(text, NULL) for text in side.texts] + [NULL], np.int64)[side.code[outbound]]
        for side in (flows.server, flows.name)
    ]
    host, opened = np.concatenate(reached), np.concatenate((outbound, outbound))
    host, opened = host[host != NULL], opened[host != NULL]
    if not len(opened):
        return np.zeros(len(rows), np.bool_)
    times, place = np.unique(flows.start[opened], return_inverse=True)
    step = len(times) + 1
    moments = np.sort((flows.device.code[opened] * len(known) + host) * step + place)
    asked = (flows.device.code[rows] * len(known) + wanted.code[rows]) * step
    low = np.searchsorted(moments, asked + np.searchsorted(times, flows.start[rows]))
    high = np.searchsorted(moments, asked + np.searchsorted(times, flows.start[rows] + ONWARD_US, side="right"))
    return np.asarray((high > low) & (wanted.code[rows] != NULL), np.bool_)


def _elsewhere(rows: Int64, at_server: Bool, client: Codes, server: Codes) -> str | None:
    """Why the relaying end is not ours to judge: within one host, or a public machine that private ones use."""
    callers, ends = client.of(rows), server.of(rows)
    if all(is_loopback(text) for text in (*callers, *ends)):
        return "asked and asking programs are on the same host (loopback): nobody else is relayed"
    public = not any(is_local(text) for text in ends)
    if at_server[rows].all() and public and all(is_local(text) for text in callers):
        return "the proxy is a public machine outside the network its clients are in"
    return None


def _answered(rows: Int64, flows: Flows, exchanges: pa.Table | None, proxy: Codes) -> Int64:
    """(m,) when each request had been answered."""
    socks5 = np.array([text == "socks5" for text in proxy.texts] + [False])[proxy.code[rows]]
    return answered(flows.flow[rows], flows.end[rows], socks5, exchanges)
