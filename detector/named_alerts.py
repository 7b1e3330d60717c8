"""Alerts of tools that know addresses and ports only, given the device, app and peer of the flow they speak of.

Pure: hits and tables in, findings out. Nothing is dropped: a hit that no flow of the telemetry explains is a finding
that names its device by address, no app, and says so. Whoever's rule it was does not matter here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np
import pyarrow as pa

from detector.columns import NULL, Int64, codes, dense, ordered, whole
from detector.contract import Finding, Reason, Telemetry, rfc3339
from detector.destinations import registrable
from detector.finding_form import SEVERITIES
from detector.signature import Signature

#: Another sensor's clock, or the last packet of a flow seen a little later than ours.
TOLERANCE_US = 2_000_000
#: What a finding says of its flow.
SAID = ["device", "inbound", "uid", "package", "client", "server", "name"]
MISSING = "a flow of these addresses and ports within 2 s"


@dataclass(frozen=True)
class Hit:
    """One alert of a foreign tool: when, between which ends (in either order), how sure, and what it says.

    ``value`` is what the rule measured, where it measures: matches counted, for instance; ``expected`` the range of it
    that is no alert. A near miss is not ``alert``. ``began`` is when its flow did, where the tool says so: an alert may
    be raised long after the flow's last packet. One hit may stand for ``times`` alerts, the last of them at ``last``.
    """

    analytic: str
    time: int  # microseconds since the epoch
    client: str
    client_port: int
    server: str
    server_port: int
    proto: str  # tcp, udp, icmp
    score: float
    severity: str
    text: str
    rule: str
    alert: bool = True
    value: float | None = None
    expected: str = "no match"
    began: int | None = None
    last: int | None = None
    times: int = 1

    def counted(self, value: float, expected: str) -> Hit:
        """The same as a near miss of a rule that measured that much."""
        return replace(self, alert=False, value=value, expected=expected)


@dataclass(frozen=True)
class _Who:
    """Whom a hit is about, and whether a flow said so."""

    device: str
    uid: int | None
    package: str | None
    peer: str | None
    known: bool

    @property
    def key(self) -> tuple[str, int, str, str, bool]:
        """An order of all of them."""
        uid = NULL if self.uid is None else self.uid
        return (self.device, uid, self.package or "", self.peer or "", self.known)


def alerted(telemetry: Telemetry, hits: Sequence[Hit], who: Signature) -> Iterator[Finding]:
    """One finding per rule, analytic, device, app and peer, decided at the earliest hit; Unsupported without flows.

    The flow of a hit is the one between its ends, whichever side began, that was under way at its time within
    TOLERANCE_US; of a flow between two monitored devices AN1793 blames who dialled, AN1702 who was dialled. The peer
    of a look-up is the registrable domain asked for, of AN1702 none.
    """
    flows = telemetry["flows"]
    rows = rows_of(flows, hits)
    named = _Named(telemetry, flows, rows)
    about = [(named.who(hit, int(row)), hit) for hit, row in zip(hits, rows.tolist(), strict=True)]

    def key(pair: tuple[_Who, Hit]) -> tuple[object, ...]:
        return (pair[1].analytic, pair[1].rule, pair[0].key)

    about.sort(key=lambda pair: (key(pair), pair[1].time))
    for _, group in groupby(about, key=key):
        pairs = list(group)
        yield _finding(pairs[0][0], [hit for _, hit in pairs], who)


def rows_of(flows: pa.Table, hits: Sequence[Hit]) -> Int64:
    """(n,) the row of ``flows`` that each hit is about; NULL where no flow has its ends and time."""
    group, time, inbound = _grouped(flows, hits)
    size, start, end = len(flows), whole(flows["start"]), whole(flows["end"])
    seen = dict(_spans(group[:size]))
    found = np.full(len(hits), NULL, np.int64)
    for place, hit in enumerate(hits):
        rows = seen.get(int(group[size + place]))
        if rows is None:
            continue
        away = np.maximum(np.maximum(start[rows] - time[place], time[place] - end[rows]), 0)
        wrong = inbound[rows] != (hit.analytic == "AN1702")
        best = rows[np.lexsort((wrong, -start[rows], away))[0]]
        if max(start[best] - time[place], time[place] - end[best]) <= TOLERANCE_US:
            found[place] = best
    return found


def _grouped(flows: pa.Table, hits: Sequence[Hit]) -> tuple[Int64, Int64, Int64]:
    """(flows and hits,) group of equal ends and protocol; (hits,) times; (flows,) whether inbound."""
    said = {
        name: [*flows[name].chunks, pa.array([getattr(hit, name) for hit in hits], pa.string())]
        for name in ("client", "server", "proto")
    }
    size = len(flows) + len(hits)
    ends = codes(pa.chunked_array([*said["client"], *said["server"]], pa.string())).code
    proto = codes(pa.chunked_array(said["proto"], pa.string())).code
    ports = [
        np.concatenate((whole(flows[name], 0), np.array([getattr(hit, name) for hit in hits], np.int64)))
        for name in ("client_port", "server_port")
    ]
    one, other = ends[:size] << 17 | ports[0] + 1, ends[size:] << 17 | ports[1] + 1
    group = dense(np.minimum(one, other), np.maximum(one, other), proto)
    when = [hit.time if hit.began is None else hit.began for hit in hits]
    return group, np.array(when, np.int64), whole(flows["inbound"], 0)


def _spans(group: Int64) -> Iterator[tuple[int, Int64]]:
    """Every group number and its rows."""
    if not len(group):
        return
    order = ordered(group)
    heads = np.flatnonzero(np.diff(group[order], prepend=NULL))
    yield from zip(group[order][heads].tolist(), np.split(order, heads[1:]), strict=True)


class _Named:
    """Who is behind a row of flows, or behind an address where there is no row."""

    def __init__(self, telemetry: Telemetry, flows: pa.Table, rows: Int64) -> None:
        wanted = np.unique(rows[rows != NULL])
        self.said = dict(zip(wanted.tolist(), flows.take(pa.array(wanted)).select(SAID).to_pylist(), strict=True))
        inbound = whole(flows["inbound"], 0).astype(bool)
        self.local = dict(
            zip(
                np.where(inbound, flows["server"].to_numpy(), flows["client"].to_numpy()).tolist(),
                flows["device"].to_pylist(),
                strict=True,
            )
        )
        self.asked = telemetry.tables.get("dns")
        self.numbers = whole(flows["flow"])
        if self.asked is not None:
            order = ordered(whole(self.asked["flow"]), whole(self.asked["time"]))
            self.look_up = (order, whole(self.asked["flow"])[order], whole(self.asked["time"])[order])

    def who(self, hit: Hit, row: int) -> _Who:
        """Whom the hit is about: of its flow, or, without one, the monitored end by its address."""
        if row == NULL:
            mine, other = (hit.client, hit.server) if hit.client in self.local else (hit.server, hit.client)
            if mine not in self.local:
                mine, other = hit.client, hit.server
            away = None if hit.analytic == "AN1702" else other
            return _Who(self.local.get(mine, mine), None, None, away, known=False)
        said = self.said[row]
        away = said["client"] if said["inbound"] else self._asked(row, hit.time) or said["name"] or said["server"]
        peer = None if hit.analytic == "AN1702" else away
        return _Who(said["device"], said["uid"], said["package"], peer, known=True)

    def _asked(self, row: int, time: int) -> str | None:
        """The registrable domain that the flow asked for last before that time, or first."""
        if self.asked is None:
            return None
        order, flow, when = self.look_up
        first, past = np.searchsorted(flow, [self.numbers[row], self.numbers[row] + 1])
        if first == past:
            return None
        place = max(first + int(np.searchsorted(when[first:past], time, side="right")) - 1, first)
        name = self.asked["qname"][int(order[place])].as_py()
        return registrable(name) if name else None


def _finding(about: _Who, hits: Sequence[Hit], who: Signature) -> Finding:
    """One finding of all the hits of a rule about somebody, in the order of time."""
    alerts = [hit for hit in hits if hit.alert]
    told = (alerts or hits)[0]
    return Finding(
        analytic=told.analytic,
        device=about.device,
        uid=about.uid,
        package=about.package,
        peer=about.peer,
        first_seen=min(hit.time if hit.began is None else min(hit.began, hit.time) for hit in hits),
        last_seen=max(hit.time if hit.last is None else hit.last for hit in hits),
        decided_at=told.time,
        score=max(hit.score for hit in hits),
        alert=bool(alerts),
        severity=max((hit.severity for hit in alerts or hits), key=SEVERITIES.index),
        detector=who.name,
        detector_version=who.version,
        reasons=tuple(_reasons(about, told, hits)),
        partial=who.partial,
    )


def _reasons(about: _Who, told: Hit, hits: Sequence[Hit]) -> Iterator[Reason]:
    ends = f"{told.client} {told.client_port} to {told.server} {told.server_port}, {told.proto}"
    many = sum(hit.times for hit in hits if hit.alert == told.alert)
    times = f"{many} times, " if many > 1 else ""
    text = f"{told.text}: {times}first at {rfc3339(told.time)}, {ends}"
    yield Reason("rule", told.rule, "no match", 1.0, text)
    values = [hit.value for hit in hits if hit.value is not None]
    if values:
        yield Reason("matches", max(values), told.expected, 0.0, f"the rule counted up to {max(values):g}")
    if not about.known:
        text = f"no flow of the telemetry is {ends} at that time: the device is told by its address, the app is unknown"
        yield Reason("unattributed", None, MISSING, 0.0, text)
