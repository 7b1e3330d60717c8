"""Decrypted requests against the flows they went through: whose Host is of another domain than the SNI.

A request belongs to the flow of the same ends that began last before it, and so to an app. Where apps are unknown, the
requests of a device below one SNI are told together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from detector.claims import translated
from detector.columns import NULL, Codes, Int64, codes, numbered, whole
from detector.destinations import registrable
from detector.grouped import Float64, grouped_sum

ENDS = ("device", "client", "server")
PORTS = ("client_port", "server_port")
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Fronts:
    """r requests whose SNI and Host were read."""

    device: Codes
    sni: Codes  # registrable domain
    other: Flags  # the Host is of another domain
    flow: Int64  # row of flows; NULL: none has its ends
    flows: int  # how many rows these have

    @classmethod
    def read(cls, flows: pa.Table, http: pa.Table) -> Fronts:
        """The requests of an http table."""
        sni, host = (codes(http[name]) for name in ("sni", "host"))
        read = np.flatnonzero((sni.code != NULL) & (host.code != NULL))
        sni, host = (
            Codes(column.code[read], column.texts).renamed([registrable(text) for text in column.texts])
            for column in (sni, host)
        )
        device = codes(http["device"])
        other = np.asarray(translated(host, sni.texts) != sni.code)
        return cls(Codes(device.code[read], device.texts), sni, other, _flow_of(flows, http, read), len(flows))

    def of_rows(self, rows: Int64, edges: Int64) -> Float64:
        """(g,) share of the fronted among the requests through the flows of each group; NaN where none was read."""
        there = self.flow != NULL
        many, odd = (np.bincount(self.flow[which], minlength=self.flows)[rows] for which in (there, there & self.other))
        return _share(grouped_sum(odd, edges), grouped_sum(many, edges))

    def of_names(self, device: Codes, destination: Codes) -> Float64:
        """(g,) the same among the requests of a device below an SNI, whatever app made them."""
        width = len(self.sni.texts) + 1
        kinds, place = np.unique(self.device.code * width + self.sni.code, return_inverse=True)
        mine, name = translated(device, self.device.texts), translated(destination, self.sni.texts)
        if not len(kinds):
            return np.full(len(mine), np.nan)
        asked = mine * width + name
        row = np.minimum(np.searchsorted(kinds, asked), len(kinds) - 1)
        share = np.bincount(place, self.other, len(kinds)) / np.bincount(place, minlength=len(kinds))
        return np.where((mine != NULL) & (name != NULL) & (kinds[row] == asked), share[row], np.nan)


def _share(part: Float64, whole_: Float64) -> Float64:
    return np.asarray(np.divide(part, whole_, out=np.full(len(part), np.nan), where=whole_ > 0))


def _flow_of(flows: pa.Table, http: pa.Table, read: Int64) -> Int64:
    """(r,) the row of flows with the ends of each request that began last before it."""
    columns = []
    for name in ENDS:
        mine, its = codes(flows[name]), codes(http[name])
        columns.append((mine.code, np.where(its.code == NULL, NULL, translated(its, mine.texts))[read]))
    columns += [(whole(flows[name]), whole(http[name])[read]) for name in PORTS]
    opened = np.flatnonzero(whole(flows["inbound"], null=0) == 0)
    group, _ = numbered(*(np.concatenate([mine[opened], its]) for mine, its in columns))
    made, asked = group[: len(opened)], group[len(opened) :]
    start, time = whole(flows["start"])[opened], whole(http["time"])[read]
    order = np.lexsort((start, made))
    moments = np.unique(np.concatenate([start, time]))
    keys = made[order] * (len(moments) + 1) + np.searchsorted(moments, start[order])
    place = np.searchsorted(keys, asked * (len(moments) + 1) + np.searchsorted(moments, time), side="right") - 1
    if not len(order):
        return np.full(len(read), NULL, np.int64)
    row = order[np.maximum(place, 0)]
    return np.where((place >= 0) & (made[row] == asked), opened[row], NULL)
