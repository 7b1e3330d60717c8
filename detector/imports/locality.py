"""Which end of a logged flow is a monitored device: what the sensor calls its own, else private addresses that dial.

Zeek says ``local_orig`` only where its operator listed the site's networks, so "not local" means nothing; RFC 1918
and its relatives (RFC 6598, RFC 4193, RFC 3927, RFC 4291) decide the rest. Where no client is of either kind, as in a
log of a campus with public addresses, whoever dials is a device, as in a capture.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from detector.columns import Codes, codes
from detector.tables import SCHEMAS

#: Networks of one's own, and addresses that are nobody's: multicast, broadcast (also a subnet's, by .255), unspecified.
_PRIVATE = (
    r"^(?:10\.|127\.|192\.168\.|169\.254\.|172\.(?:1[6-9]|2\d|3[01])\.|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\."
    r"|(?i:f[cd][0-9a-f]{2}:|fe[89ab][0-9a-f]:)|::1$)"
)
_NOBODY = r"^(?:22[4-9]|23\d)\.|^(?i:ff[0-9a-f]{2}:)|\.255$|^0\.0\.0\.0$|^::$"
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Known:
    """What an inventory knows: the device of an address, and the package of (device, uid)."""

    devices: Mapping[str, str] = field(default_factory=dict)
    packages: Mapping[tuple[str, int], str] = field(default_factory=dict)


def private(addresses: list[str]) -> Flags:
    """(n,) whether each address belongs to a network of one's own.

    >>> private(["10.1.2.3", "fd00::1", "8.8.8.8", "a.example"]).tolist()
    [True, True, False, False]
    """
    return _matches(addresses, _PRIVATE)


def _matches(texts: list[str], pattern: str) -> Flags:
    found: Any = pc.match_substring_regex(pa.array(texts, pa.string()), pattern)
    return np.asarray(found.to_numpy(zero_copy_only=False), np.bool_)


def owned(flows: pa.Table, told: Mapping[str, Any], known: Known) -> pa.Table:
    """The flows as SCHEMAS["flows"], one row per device at an end, by flow, outbound first.

    ``told`` may hold, per flow, ``local_client``, ``local_server``, and, for whoever dialled, ``uid``, ``package`` and
    ``device``.
    """
    client, server = codes(flows["client"]), codes(flows["server"])
    out, into = _monitored(flows, client, server, told, known)
    row = np.concatenate((np.flatnonzero(out), np.flatnonzero(into)))
    inbound = np.repeat([False, True], (int(out.sum()), int(into.sum())))
    order = np.lexsort((inbound, row))
    row, inbound = row[order], inbound[order]
    places = pa.array(row)
    address = pc.if_else(pa.array(inbound), flows["server"].take(places), flows["client"].take(places))
    mine = {name: told[name].take(places) for name in ("uid", "package", "device") if name in told}
    device = _devices(address, mine.get("device"), inbound, known)
    uid, package = _apps(mine, inbound, device, known)
    added = {"device": device, "inbound": pa.array(inbound), "uid": uid, "package": package}
    taken = flows.take(places)
    columns = [added[name] if name in added else taken[name] for name in SCHEMAS["flows"].names]
    return pa.table(columns, names=SCHEMAS["flows"].names).cast(SCHEMAS["flows"]).combine_chunks()


def _monitored(
    flows: pa.Table, client: Codes, server: Codes, told: Mapping[str, Any], known: Known
) -> tuple[Flags, Flags]:
    """Which rows have a device as client, which as server."""
    texts = sorted({*client.texts, *server.texts})
    client, server = _among(client, texts), _among(server, texts)
    local = np.append(private(texts), [False])
    local[[texts.index(address) for address in known.devices if address in texts]] = True
    for ends, name in ((client, "local_client"), (server, "local_server")):
        if name in told:
            said = np.asarray(told[name].fill_null(False).to_numpy(), np.bool_)
            local[ends.code[said & (ends.code >= 0)]] = True
    dials = np.zeros(len(texts) + 1, np.bool_)
    dials[client.code] = True
    dials &= np.append(~_matches(texts, _NOBODY), [False])
    if not (local & dials).any():
        local[:-1] = True
    asked = pc.and_(pc.equal(flows["proxy_server"], "server"), pc.is_valid(flows["proxy"])).fill_null(False)
    relays = np.asarray(asked.to_numpy(), np.bool_) & local[server.code]
    mine = local & dials
    return mine[client.code], mine[server.code] | relays


def _among(found: Codes, texts: list[str]) -> Codes:
    place = {text: k for k, text in enumerate(texts)}
    table = np.array([place[text] for text in found.texts] + [-1], np.int64)
    return Codes(table[found.code], texts)


def _devices(address: Any, told: Any, inbound: Flags, known: Known) -> Any:
    """The device of each row: what the sensor calls it, else the inventory's name of the address, else the address."""
    named = address
    if known.devices:
        place = pc.index_in(address, value_set=pa.array(list(known.devices), pa.string()))
        named = pc.coalesce(pa.array(list(known.devices.values()), pa.string()).take(place), address)
    return named if told is None else pc.coalesce(pc.if_else(pa.array(inbound), None, told), named)


def _apps(mine: Mapping[str, Any], inbound: Flags, device: Any, known: Known) -> tuple[Any, Any]:
    """Uid and package of each row; those of an inbound row are not told."""
    nothing = pa.nulls(len(inbound), pa.string())
    own = pa.array(~inbound)
    uid = pc.if_else(own, mine["uid"], None) if "uid" in mine else nothing.cast(pa.int32())
    package = pc.if_else(own, mine["package"], None) if "package" in mine else nothing
    if known.packages and "uid" in mine:
        pairs = zip(device.to_pylist(), uid.to_pylist(), strict=True)
        listed = pa.array([known.packages.get((name, number)) for name, number in pairs], pa.string())
        package = pc.coalesce(listed, package)
    return uid.cast(pa.int32()), package
