"""The columns of a flows table that the analytics read, and which of its rows a device opened to somebody."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from detector.columns import NULL, Codes, Int64, codes, joined, whole
from detector.destinations import host_of, is_address, is_group, is_loopback, registrable
from detector.lookups import Lookups

LONG_FLOW_US = 10_000_000  # a flow longer than that is known by its exchanges
MERGE_US = 2_000_000  # for a baseline, moments closer than that are one contact (our choice)
LENGTH_BYTES = 2  # in front of each DNS message over TCP (RFC 1035 section 4.2.2)


@dataclass(frozen=True)
class Flows:
    """The columns of a flows table the analytics read; n rows."""

    flow: Int64
    device: Codes
    uid: Int64
    package: Codes
    start: Int64
    end: Int64
    up: Int64
    down: Int64
    inbound: Int64
    server: Codes
    name: Codes
    app_proto: Codes
    target: Codes  # host this flow's client asked a proxy for, without port
    port: Int64
    proto: Codes

    @property
    def time(self) -> Int64:
        """(n,) when each began."""
        return self.start

    @classmethod
    def read(cls, table: pa.Table) -> Flows:
        """The columns of a table of schema ``flows``."""
        return cls(
            flow=whole(table["flow"]),
            device=codes(table["device"]),
            uid=whole(table["uid"]),
            package=codes(table["package"]),
            start=whole(table["start"]),
            end=whole(table["end"]),
            up=whole(table["bytes_up"]),
            down=whole(table["bytes_down"]),
            inbound=whole(table["inbound"], null=0),
            server=codes(table["server"]),
            name=codes(table["name"]),
            app_proto=codes(table["app_proto"]),
            target=asked_for(table),
            port=whole(table["server_port"]),
            proto=codes(table["proto"]),
        )


@dataclass(frozen=True)
class Moments:
    """When flows spoke: those that count as one moment, and the exchanges inside long ones, each a moment."""

    alone: Int64  # places of flows
    owner: Int64  # (k,) places of flows, of the exchanges inside
    inside: Int64  # (k,) rows of the exchanges


def moments(number: Int64, start: Int64, end: Int64, exchanges: pa.Table) -> Moments:
    """The moments of flows of those numbers: one longer than LONG_FLOW_US with exchanges stands for these alone."""
    long = np.flatnonzero(end - start > LONG_FLOW_US)
    owner = joined(number[long], whole(exchanges["flow"]))
    inside = np.flatnonzero(owner != NULL)
    owner = long[owner[inside]]
    flat = np.ones(len(number), np.bool_)
    flat[owner] = False
    return Moments(np.flatnonzero(flat), owner, inside)


def asked_for(table: pa.Table) -> Codes:
    """(n,) the host, without port, that the client of a flow asked a proxy for; NULL where the server is none."""
    via = codes(table["proxy_server"])
    beyond = np.array([text == "server" for text in via.texts] + [False])[via.code]
    asked = hosts(codes(table["proxy_target"]))
    return Codes(np.where(beyond, asked.code, NULL), asked.texts)


def hosts(targets: Codes) -> Codes:
    """The hosts of a column of ``host:port`` texts."""
    return targets.renamed([text.rpartition(":")[0].strip("[]") or text for text in targets.texts])


def opened(inbound: Int64, server: Codes, proto: Codes) -> npt.NDArray[np.bool_]:
    """(n,) whether a device opened the flow, over TCP or UDP, to somebody: no broadcast, multicast or loopback."""
    nowhere = np.array([is_group(text) or is_loopback(text) for text in server.texts] + [True])
    carried = np.array([text in ("tcp", "udp") for text in proto.texts] + [False])
    return np.asarray((inbound == 0) & ~nowhere[server.code] & carried[proto.code], np.bool_)


def outbound_rows(flows: Flows, lookups: Lookups | None, ignored_ports: frozenset[int]) -> Int64:
    """Rows of flows a device opened to somebody: TCP or UDP, no broadcast, multicast, loopback or UDP discovery.

    Flows whose look-ups are in the dns table are left to it; over TCP only where these are all that the client said,
    since a stream may be cut or turn to something else.
    """
    udp = np.array([text == "udp" for text in flows.proto.texts] + [False])[flows.proto.code]
    discovery = udp & np.isin(flows.port, sorted(ignored_ports))
    keep = opened(flows.inbound, flows.server, flows.proto) & ~discovery
    if lookups is not None:
        keep &= ~_told(flows, lookups, udp)
    return np.flatnonzero(keep)


def _told(flows: Flows, lookups: Lookups, udp: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """(n,) whether the dns table tells what the flow said: of UDP anything, else every byte of the client."""
    numbers, place = np.unique(lookups.flow, return_inverse=True)
    sizes = lookups.up + LENGTH_BYTES * (lookups.up > 0)
    told = np.append(np.bincount(place, sizes, len(numbers)), 0)
    row = joined(numbers, flows.flow)
    found: npt.NDArray[np.bool_] = (row != NULL) & (udp | (told[row] >= flows.up))
    return found


def destinations(flows: Flows, rows: Int64) -> Codes:
    """(m,) whom the flows of those rows spoke to, as ``spoken`` has it."""
    return spoken(flows.target, flows.name, flows.server, rows)


def named(target: Codes, name: Codes, rows: Int64) -> Codes:
    """(m,) the host that a proxy was asked for, else the server's name, in full; NULL where neither is a name."""
    told = [host_of(text) for text in (*target.texts, *name.texts)]
    code = _told_name(target, name, rows)
    nameless = np.array([is_address(text) for text in told] + [True])
    return Codes(np.where(nameless[code], NULL, code), told).renamed(told)


def _told_name(target: Codes, name: Codes, rows: Int64) -> Int64:
    """(m,) the code of the target, else of the name, into the texts of both; NULL where there is neither."""
    one, other = target.code[rows], name.code[rows]
    return np.where(one != NULL, one, np.where(other != NULL, other + len(target.texts), NULL))


def spoken(target: Codes, name: Codes, server: Codes, rows: Int64) -> Codes:
    """(m,) registrable domain of what a proxy was asked for, else of the name, else the address."""
    texts = [registrable(text) for text in (*target.texts, *name.texts)] + server.texts
    code = _told_name(target, name, rows)
    code = np.where(code != NULL, code, server.code[rows] + len(target.texts) + len(name.texts))
    return Codes(code, texts).renamed(texts)
