"""Whose flow it is: the monitored device at each end, and the app whose socket carried it.

Pure: tables in, table out. Nothing here reads a name, a port's meaning or a payload; proxy evidence only decides
whether an address that never dials still counts as somebody's device.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from detector.columns import NULL, Codes, Int64, codes, joined, whole
from detector.tables import SCHEMAS

#: A socket's event and the first packet of its flow are seen by two observers with two clocks.
TOLERANCE_US = 2_000_000

#: Addresses that are nobody's: multicast (RFC 5771, RFC 4291), limited broadcast, unspecified.
_NOBODY = r"^(?:22[4-9]|23[0-9])\.|^[fF][fF][0-9a-fA-F]{2}:|^255\.255\.255\.255$|^0\.0\.0\.0$|^::$"
_LOOPBACK = r"^127\.|^::1$"
#: What a dual-stack socket calls an IPv4 address (RFC 4291 section 2.5.5.2).
_MAPPED = r"^::[fF]{4}:(\d+\.\d+\.\d+\.\d+)$"

Bool = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class _Events:
    """Socket events of some kinds as key columns; ``device`` and ``peer`` are codes shared with the flows."""

    time: Int64
    device: Int64
    service: Int64
    peer: Int64
    uid: Int64  # NULL: unknown, or the end of a socket


@dataclass(frozen=True)
class _Ends:
    """Both ends of every flow as codes into ``texts``."""

    client: Int64
    server: Int64
    texts: list[str]


@dataclass(frozen=True)
class _Owned:
    """The rows of the result: which flow, in which direction, whose (code of ``names``)."""

    row: Int64
    inbound: Bool
    device: Int64
    names: list[str]


def attribute(flows: pa.Table, sockets: pa.Table | None = None, packages: pa.Table | None = None) -> pa.Table:
    """The flows, one row per monitored device at an end: exactly SCHEMAS["flows"], by flow, outbound first.

    ``flows`` has those columns without device, inbound, uid and package. With ``sockets`` a device is whoever owns a
    local address in it, and flows between others are left out; the uid is that of the connect or accept event with the
    same protocol, ports and peer nearest to the flow's start, within TOLERANCE_US; for UDP else that of the socket open
    then; for inbound flows else that of the listener. Without, every address that dials is a device, and so is one that
    was asked to relay (proxy_server is "server"), so that a proxy whose outer leg is not in the capture can still be
    named; uid and package are null.
    """
    ends = _addresses(flows["client"], flows["server"])
    known = _owners(sockets, ends.texts) if sockets is not None else None
    if sockets is None or known is None:
        row, inbound = _rows(*_raw_devices(flows, ends))
        device = pa.array(ends.texts, pa.string()).take(pa.array(np.where(inbound, ends.server[row], ends.client[row])))
        nobody = np.full(len(row), NULL, np.int64)
        return _table(flows, row, inbound, device, (nobody, pa.nulls(len(row), pa.string())))
    owner, names = known
    row, inbound = _rows(owner[ends.client] != NULL, owner[ends.server] != NULL)
    owned = _Owned(row, inbound, owner[np.where(inbound, ends.server[row], ends.client[row])], names)
    uid = _uids(flows, sockets, ends, owned)
    device = pa.array(names, pa.string()).take(pa.array(owned.device))
    return _table(flows, row, inbound, device, (uid, _packages(packages, owned, uid)))


def _rows(outbound: Bool, inbound: Bool) -> tuple[Int64, Bool]:
    """The flow row and direction of each row of the result."""
    out, into = np.flatnonzero(outbound), np.flatnonzero(inbound)
    row = np.concatenate((out, into))
    direction = np.repeat([False, True], (len(out), len(into)))
    order = np.lexsort((direction, row))
    return row[order], direction[order]


def _table(
    flows: pa.Table, row: Int64, inbound: Bool, device: pa.Array, who: tuple[Int64, pa.Array | pa.ChunkedArray]
) -> pa.Table:
    uid, package = who
    added = {
        "device": device,
        "inbound": pa.array(inbound),
        "uid": pa.array(uid, pa.int32(), mask=uid == NULL),
        "package": package,
    }
    taken = flows.take(pa.array(row))
    columns = [added[name] if name in added else taken[name] for name in SCHEMAS["flows"].names]
    return pa.table(columns, names=SCHEMAS["flows"].names).cast(SCHEMAS["flows"])


def _addresses(client: pa.ChunkedArray, server: pa.ChunkedArray) -> _Ends:
    """Both columns as codes into one list; null becomes the unspecified address, which is nobody's."""
    both = codes(pa.chunked_array([*client.chunks, *server.chunks], pa.string()))
    code = np.where(both.code == NULL, len(both.texts), both.code)
    return _Ends(code[: len(client)], code[len(client) :], [*both.texts, "::"])


def _raw_devices(flows: pa.Table, ends: _Ends) -> tuple[Bool, Bool]:
    """Which rows have a device as client, which as server, judged by the flows alone."""
    somebody = ~_matches(ends.texts, _NOBODY)
    dials = np.zeros(len(ends.texts), np.bool_)
    dials[ends.client] = True
    dials &= somebody
    is_asked = pc.and_(pc.equal(flows["proxy_server"], "server"), pc.is_valid(flows["proxy"])).fill_null(False)
    return dials[ends.client], dials[ends.server] | (is_asked.to_numpy() & somebody[ends.server])


def _matches(texts: list[str], pattern: str) -> Bool:
    found: Any = pc.match_substring_regex(pa.array(texts, pa.string()), pattern)
    return np.asarray(found.to_numpy(zero_copy_only=False), np.bool_)


def _plain(column: pa.ChunkedArray) -> Codes:
    """An address column in which IPv4 addresses of dual-stack sockets are written as IPv4."""
    found = codes(column)
    if not found.texts:
        return found
    plain: Any = pc.replace_substring_regex(pa.array(found.texts, pa.string()), _MAPPED, r"\1")
    return found.renamed(plain.to_pylist())


def _owners(sockets: pa.Table, texts: list[str]) -> tuple[Int64, list[str]] | None:
    """The device code that owns each address text (NULL: none), and the devices' names; None if none is known.

    An address that several devices used belongs to the one with most events there.
    """
    local, device = _plain(sockets["local_address"]), codes(sockets["device"])
    private = _matches(local.texts, f"{_NOBODY}|{_LOOPBACK}") if local.texts else np.zeros(0, np.bool_)
    usable = (local.code != NULL) & (device.code != NULL)
    usable[usable] &= ~private[local.code[usable]]
    if not usable.any():
        return None
    pairs, counts = np.unique(local.code[usable] * len(device.texts) + device.code[usable], return_counts=True)
    address, user = np.divmod(pairs, len(device.texts))
    best = np.lexsort((user, -counts, address))
    _, first = np.unique(address[best], return_index=True)
    owner = dict(zip((local.texts[a] for a in address[best][first]), user[best][first].tolist(), strict=True))
    return np.array([owner.get(text, NULL) for text in texts], np.int64), device.texts


def _uids(flows: pa.Table, sockets: pa.Table, ends: _Ends, owned: _Owned) -> Int64:
    """The uid of each result row: (n,) with NULL where no event tells."""
    protos = codes(flows["proto"])
    row, inbound = owned.row, owned.inbound
    ports = [whole(flows[name], 0)[row] for name in ("client_port", "server_port")]
    local, remote = np.where(inbound, ports[1], ports[0]), np.where(inbound, ports[0], ports[1])
    peer = np.where(inbound, ends.client[row], ends.server[row])
    start = whole(flows["start"])[row]
    proto = protos.code[row] + 1
    uid = np.full(len(row), NULL, np.int64)
    for event, rows in (("connect", ~inbound), ("accept", inbound)):
        events = _events(sockets, [event], protos, owned.names, ends.texts)
        key = (owned.device[rows], _service(proto[rows], local[rows], remote[rows]), peer[rows])
        uid[rows] = _nearest(events, start[rows], key, both_sides=True)
    udp = protos.texts.index("udp") if "udp" in protos.texts else NULL
    rest = (uid == NULL) & (proto == udp + 1)  # which begin anew when their socket was silent for long
    events = _events(sockets, ["connect", "accept", "close"], protos, owned.names, ends.texts)
    key = (owned.device[rest], _service(proto[rest], local[rest], remote[rest]), peer[rest])
    uid[rest] = _nearest(events, start[rest] - 1, key, both_sides=False)
    rest = inbound & (uid == NULL)
    listeners = _events(sockets, ["listen", "close"], protos, owned.names, ends.texts)
    key = (owned.device[rest], _service(proto[rest], local[rest], 0), np.full(int(rest.sum()), NULL, np.int64))
    uid[rest] = _nearest(listeners, start[rest] + TOLERANCE_US, key, both_sides=False)
    return uid


def _service(proto: Int64, local: Int64, remote: Int64 | int) -> Int64:
    return proto << 32 | local << 16 | remote


def _events(sockets: pa.Table, kinds: list[str], protos: Codes, names: list[str], texts: list[str]) -> _Events:
    """The events of those kinds whose protocol and peer occur in the flows; a close has no uid."""
    chosen = sockets.filter(pc.is_in(sockets["event"], pa.array(kinds)))
    listening = "listen" in kinds
    if listening:
        chosen = chosen.filter(pc.is_null(chosen["peer_address"]))
    proto = _into(codes(chosen["proto"]), protos.texts)
    peer = _into(_plain(chosen["peer_address"]), texts)
    service = _service(proto + 1, whole(chosen["local_port"], 0), whole(chosen["peer_port"], 0))
    uid = whole(chosen["uid"])
    uid = np.where(pc.equal(chosen["event"], "close").to_numpy(), NULL, uid)
    usable = (proto != NULL) & ((peer != NULL) | listening)
    device = _into(codes(chosen["device"]), names)
    columns = (whole(chosen["time"]), device, service, peer, uid)
    return _Events(*(column[usable] for column in columns))


def _into(found: Codes, texts: list[str]) -> Int64:
    """The codes of a column, as places in another list of texts; NULL where it is not there."""
    place = {text: k for k, text in enumerate(texts)}
    table = np.array([place.get(text, NULL) for text in found.texts] + [NULL], np.int64)
    return table[found.code]


def _nearest(events: _Events, start: Int64, key: tuple[Int64, Int64, Int64], *, both_sides: bool) -> Int64:
    """The uid of the event of equal key nearest in time: (n,) with NULL for none.

    One sort of flows and events together, then the last event before and the first after each flow. With
    ``both_sides`` an event counts within TOLERANCE_US; without, the last one before counts however old.
    """
    size = len(events.time)
    if not size or not len(start):
        return np.full(len(start), NULL, np.int64)
    mine = (events.device, events.service, events.peer)
    device, service, peer = (np.concatenate(pair) for pair in zip(mine, key, strict=True))
    time = np.concatenate((events.time, start))
    order = np.lexsort((np.arange(len(time)), time, peer, service, device))
    is_event = order < size
    changes = [np.diff(column[order]) != 0 for column in (device, service, peer)]
    group = np.concatenate(([0], np.cumsum(changes[0] | changes[1] | changes[2])))
    place = np.arange(len(order))
    before = np.maximum.accumulate(np.where(is_event, place, NULL))
    after = np.minimum.accumulate(np.where(is_event, place, len(order))[::-1])[::-1]
    gaps = [_gap(place, other, group, time[order]) for other in (before, after)]
    nearer = np.where(gaps[0] <= gaps[1], before, after) if both_sides else before
    gap = np.minimum(*gaps) if both_sides else gaps[0]
    limit = TOLERANCE_US if both_sides else np.iinfo(np.int64).max - 1
    event = order[np.clip(nearer, 0, len(order) - 1)]
    uid = np.where((gap <= limit) & (event < size), events.uid[np.minimum(event, size - 1)], NULL)
    found = np.full(len(start), NULL, np.int64)
    found[order[~is_event] - size] = uid[~is_event]
    return found


def _gap(place: Int64, other: Int64, group: npt.NDArray[Any], time: Int64) -> Int64:
    """The time between two places of a sorted list; the largest number where they are not of one group."""
    inside = (other >= 0) & (other < len(place))
    near = np.where(inside, other, 0)
    same = inside & (group[near] == group[place])
    return np.where(same, np.abs(time[near] - time[place]), np.iinfo(np.int64).max)


def _packages(packages: pa.Table | None, owned: _Owned, uid: Int64) -> pa.ChunkedArray | pa.Array:
    """The package of each (device, uid); null where unknown, or where several packages share the uid."""
    if packages is None or not packages.num_rows:
        return pa.nulls(len(uid), pa.string())
    device = _into(codes(packages["device"]), owned.names)
    key = device << 32 | whole(packages["uid"])
    kinds, first, counts = np.unique(key, return_index=True, return_counts=True)
    usable = (counts == 1) & (device[first] != NULL) & (whole(packages["uid"])[first] != NULL)
    found = joined(kinds[usable], owned.device << 32 | uid)
    rows = pa.array(first[usable][np.maximum(found, 0)] if usable.any() else np.zeros(len(found), np.int64))
    return pc.if_else(pa.array((found != NULL) & (uid != NULL)), packages["package"].take(rows), None)
