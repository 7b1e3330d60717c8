"""What the texts of a flows table say of its ends: whose name or address, whether local, whether nobody at all.

Asked of each distinct text once, however many flows have it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from detector.columns import NULL, Codes, Int64, codes
from detector.destinations import is_group, is_local, is_loopback, registrable

Bool = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Hosts:
    """By code of a column's text, the last for null. Peers: registrable domain of the name, or else the address."""

    nobody: Bool  # server: broadcast, multicast, loopback, or unknown
    server_local: Bool
    client_local: Bool
    by_server: Int64  # place among the peers
    by_name: Int64
    peers: list[str]

    @classmethod
    def of(cls, table: pa.Table) -> Hosts:
        """Those of a table of schema ``flows``; blocks of it that share its dictionaries share these."""
        server, client, name = (codes(table[column]) for column in ("server", "client", "name"))
        domains = [registrable(text) for text in name.texts]
        peers = sorted({*domains, *server.texts})
        place = {text: k for k, text in enumerate(peers)}
        return cls(
            nobody=_each(server, lambda text: is_group(text) or is_loopback(text), null=True),
            server_local=_each(server, is_local),
            client_local=_each(client, is_local),
            by_server=np.array([*(place[text] for text in server.texts), NULL], np.int64),
            by_name=np.array([*(place[text] for text in domains), NULL], np.int64),
            peers=peers,
        )

    def peer(self, server: Codes, name: Codes) -> Codes:
        """(n,) the peers of some flows."""
        return Codes(np.where(name.code != NULL, self.by_name[name.code], self.by_server[server.code]), self.peers)


def _each(column: Codes, wanted: Callable[[str], bool], *, null: bool = False) -> Bool:
    return np.array([*(wanted(text) for text in column.texts), null], np.bool_)
