"""The flows of a telemetry as relaying sees them: whose app, by which way in, how many bytes towards the device.

A way in is what customers could come by: all sessions an app accepted together, or one peer it dialled. Loopback,
broadcast and multicast are nobody. Columns only; nothing here loops over flows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from detector.analytics.relay_hosts import Hosts
from detector.columns import NULL, Codes, Int64, codes, whole

Bool = npt.NDArray[np.bool_]
ACCEPTED = 0  # the way of all accepted sessions together; dialled peers are 1 + their code


@dataclass(frozen=True)
class RelayFlows:
    """n flows of a apps; ``way`` is NULL where the other end is nobody. Times in microseconds, bytes of L4 payload."""

    flow: Int64
    device: Codes
    uid: Int64
    package: Codes
    start: Int64
    end: Int64
    inbound: Bool
    into: Int64  # bytes towards the device
    out: Int64
    peer: Codes  # registrable domain or address of the server
    way: Int64
    counted: Bool  # dialled, and not to an allowed destination: could carry what is relayed
    nearby: Bool  # the other end has an address of a local network
    asking: Bool  # the other end asked the device to relay
    ja4: Codes
    app: Int64
    one: Int64  # (a,) a flow of each app

    @classmethod
    def read(cls, table: pa.Table, allowed: frozenset[str], hosts: Hosts | None = None) -> RelayFlows:
        """The columns of a table of schema ``flows``; ``allowed`` are registrable domains or addresses.

        ``hosts``: those of a whole that the table is a block of (detector/analytics/relay_blocks.py).
        """
        hosts = hosts or Hosts.of(table)
        device, package, uid = codes(table["device"]), codes(table["package"]), whole(table["uid"])
        inbound = whole(table["inbound"], null=0) == 1
        up, down = whole(table["bytes_up"], null=0), whole(table["bytes_down"], null=0)
        client, server = codes(table["client"]), codes(table["server"])
        peer = hosts.peer(server, codes(table["name"]))
        nobody = hosts.nobody[server.code]
        excused = np.array([text in allowed for text in peer.texts] + [False])[peer.code]
        way = np.where(inbound, ACCEPTED, peer.code + 1)
        app, one = distinct(device.code, uid, package.code)
        return cls(
            flow=whole(table["flow"]),
            device=device,
            uid=uid,
            package=package,
            start=whole(table["start"]),
            end=whole(table["end"]),
            inbound=inbound,
            into=np.where(inbound, up, down),
            out=np.where(inbound, down, up),
            peer=peer,
            way=np.where(nobody | (peer.code == NULL), NULL, way),
            counted=~inbound & ~nobody & (peer.code != NULL) & ~excused,
            nearby=np.where(inbound, hosts.client_local[client.code], hosts.server_local[server.code]),
            asking=_asking(table, inbound),
            ja4=codes(table["ja4"]),
            app=app,
            one=one,
        )

    def name_of(self, way: int) -> str:
        """A way in, in words."""
        return "accepted sessions" if way == ACCEPTED else self.peer.texts[way - 1]

    def who(self, app: int) -> tuple[str, int | None, str | None]:
        """Device, uid and package of an app."""
        row = int(self.one[app])
        uid = int(self.uid[row])
        return self.device.text(row) or "", None if uid == NULL else uid, self.package.text(row)


def _asking(table: pa.Table, inbound: Bool) -> Bool:
    """(n,) whether a request to relay was made to the device: to the end of the flow that it is."""
    requests, end = codes(table["proxy"]), codes(table["proxy_server"])
    at_server = np.array([text == "server" for text in end.texts] + [False])[end.code]
    return np.asarray((requests.code != NULL) & (end.code != NULL) & (at_server == inbound), np.bool_)


def distinct(*columns: Int64) -> tuple[Int64, Int64]:
    """(n,) number of each row's combination of non-negative or NULL values, in order of appearance, and a row of each.

    >>> [part.tolist() for part in distinct(np.array([7, 7, 3, 7]), np.array([-1, -1, 0, 2]))]
    [[0, 0, 1, 2], [0, 2, 3]]
    """
    number, room = np.zeros(len(columns[0]), np.int64), 1
    for column in columns:
        many = int(column.max(initial=0)) + 2
        if room * many >= 2**62:
            number, room = _numbered(number), len(number) + 1
        number, room = number * many + column + 1, room * many
    number = _numbered(number)
    count = int(number.max(initial=-1)) + 1
    first = np.empty(count, np.int64)
    first[number[::-1]] = np.arange(len(number) - 1, -1, -1)
    return number, first


def _numbered(keys: Int64) -> Int64:
    found: Any = pa.array(keys).dictionary_encode()
    return np.asarray(found.indices, np.int64)
