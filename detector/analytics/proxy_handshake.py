"""Proxy requests this device was asked to fulfil: SOCKS4, SOCKS5 and HTTP CONNECT greetings read on the wire.

Decisive alone: whoever grants such a request relays, whatever its traffic looks like later. A device that only asks
a proxy is a client and never reported. Raised wrongly by nothing but a policy that allows the relay.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from detector.columns import NULL, Codes, Int64, codes, numbered, whole
from detector.contacts import Flows, hosts
from detector.destinations import is_local, is_loopback

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
    group, _ = numbered(flows.device.code[rows], flows.uid[rows], flows.package.code[rows])
    for g in range(int(group.max()) + 1):
        members = rows[group == g]
        row, yes = int(members[0]), members[granted[members] == 1]
        decisive = yes if len(yes) else members
        yield Asked(
            device=flows.device.text(row) or "",
            uid=None if flows.uid[row] == NULL else int(flows.uid[row]),
            package=flows.package.text(row),
            requests=len(members),
            protocols=tuple(proxy.of(members)),
            targets=tuple(target.of(members)),
            askers=tuple(_askers(members, at_server, client, flows.server)),
            granted=bool(len(yes)),
            reverse=bool((~at_server[members]).any()),
            onward=_onward(members, flows, hosts(target)),
            elsewhere=_elsewhere(members, at_server, client, flows.server),
            first=int(flows.start[members].min()),
            last=int(flows.end[members].max()),
            decided=min(_answered(int(k), flows, exchanges, proxy.text(int(k))) for k in decisive),
        )


def _askers(
    rows: Int64, at_server: np.ndarray[tuple[int], np.dtype[np.bool_]], client: Codes, server: Codes
) -> list[str]:
    return sorted({*client.of(rows[at_server[rows]]), *server.of(rows[~at_server[rows]])})


def _onward(rows: Int64, flows: Flows, wanted: Codes) -> int:
    """Outbound flows of the device to the name or address one of its requests asked for, soon after the request."""
    found = 0
    outbound = np.flatnonzero((flows.inbound == 0) & (flows.device.code == flows.device.code[rows[0]]))
    for row in rows:
        soon = outbound[np.abs(flows.start[outbound] - flows.start[row] - ONWARD_US // 2) <= ONWARD_US // 2]
        host = wanted.text(int(row))
        found += any(host is not None and host in (flows.server.text(int(k)), flows.name.text(int(k))) for k in soon)
    return found


def _elsewhere(
    rows: Int64, at_server: np.ndarray[tuple[int], np.dtype[np.bool_]], client: Codes, server: Codes
) -> str | None:
    """Why the relaying end is not ours to judge: within one host, or a public machine that private ones use."""
    callers, ends = client.of(rows), server.of(rows)
    if all(is_loopback(text) for text in (*callers, *ends)):
        return "asked and asking programs are on the same host (loopback): nobody else is relayed"
    public = not any(is_local(text) for text in ends)
    if at_server[rows].all() and public and all(is_local(text) for text in callers):
        return "the proxy is a public machine outside the network its clients are in"
    return None


def _answered(row: int, flows: Flows, exchanges: pa.Table | None, protocol: str | None) -> int:
    """When the request had been answered: the end of the flow's first exchange with bytes both ways, else its end.

    SOCKS5 greets first and asks then (RFC 1928, sections 3 and 4): there it is the second.
    """
    if exchanges is None:
        return int(flows.end[row])
    own = whole(exchanges["flow"]) == flows.flow[row]
    both = own & (whole(exchanges["bytes_up"]) > 0) & (whole(exchanges["bytes_down"]) > 0)
    ends = np.sort(whole(exchanges["end"])[both])
    turn = 1 if protocol == "socks5" else 0
    return int(ends[turn]) if len(ends) > turn else int(flows.end[row])
