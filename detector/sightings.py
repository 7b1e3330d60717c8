"""Sightings: which app of which device was seen with which destination, and when, one row each time.

From flows, or from look-ups where there are only those. A look-up says nothing where somebody also goes to what was
asked for: it is left out then. Destinations are registrable domains, or addresses where no name is known.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from detector.columns import NULL, Codes, Int64, codes, joined, numbered, whole
from detector.contract import Finding, Reason, Telemetry, Unsupported
from detector.destinations import registrable
from detector.signature import Signature


@dataclass(frozen=True)
class Sightings:
    """n sightings; times in microseconds. ``flow`` numbers the flow that each comes from."""

    device: Codes
    uid: Int64
    package: Codes
    peer: Codes
    start: Int64
    flow: Int64

    @classmethod
    def read(cls, telemetry: Telemetry) -> Sightings:
        """The sightings of that telemetry; Unsupported without flows and dns."""
        if "flows" in telemetry:
            return _of_flows(telemetry)
        if "dns" not in telemetry:
            raise Unsupported(f"needs flows or dns; this telemetry (view {telemetry.view}) has neither")
        dns = telemetry["dns"]
        nobody = np.full(len(dns), NULL, np.int64)
        peer = _grounded(codes(dns["qname"]))
        return cls(codes(dns["client"]), nobody, Codes(nobody, []), peer, whole(dns["time"]), whole(dns["flow"]))

    def taken(self, rows: Int64) -> Sightings:
        """Some of them, in the order given."""
        device, package, peer = (replace(one, code=one.code[rows]) for one in (self.device, self.package, self.peer))
        return Sightings(device, self.uid[rows], package, peer, self.start[rows], self.flow[rows])

    def by_peer(self) -> tuple[Sightings, Int64, Int64]:
        """Sorted by device, app, destination, then time; (n,) the number of each such group, (g + 1,) their edges."""
        group, first = numbered(self.device.code, self.uid, self.package.code, self.peer.code)
        order = np.lexsort((self.start, group))
        edges = np.append(0, np.cumsum(np.bincount(group, minlength=len(first)))).astype(np.int64)
        return self.taken(order), group[order], edges

    def by_app(self) -> tuple[Int64, Int64]:
        """(n,) the number of each one's device and app, and (g,) the first of each such group."""
        return numbered(self.device.code, self.uid, self.package.code)

    def finding(
        self, row: int, seen: tuple[int, int], verdict: tuple[str, float, int], why: Reason, who: Signature
    ) -> Finding:
        """What a control says of the device, app and peer of one row: seen first and last, (analytic, score, decided).

        It alerts from one half on.
        """
        analytic, score, decided_at = verdict
        return Finding(
            analytic=analytic,
            device=self.device.text(row) or "",
            uid=None if self.uid[row] == NULL else int(self.uid[row]),
            package=self.package.text(row),
            peer=self.peer.text(row) if analytic == "AN1793" else None,
            first_seen=seen[0],
            last_seen=seen[1],
            decided_at=decided_at,
            score=score,
            alert=score >= 0.5,
            severity="low" if score >= 0.5 else "informational",
            detector=who.name,
            detector_version=who.version,
            reasons=(why,),
            partial=who.partial,
        )


def able(telemetry: Telemetry, analytics: Iterable[str]) -> tuple[str, ...]:
    """The analytics that can be judged from sightings: all where there are flows or look-ups, else none."""
    return tuple(analytics) if "flows" in telemetry or "dns" in telemetry else ()


def _grounded(names: Codes) -> Codes:
    return names.renamed([registrable(text) for text in names.texts])


def _of_flows(telemetry: Telemetry) -> Sightings:
    flows = telemetry["flows"]
    number = whole(flows["flow"])
    named = pc.coalesce(flows["name"], flows["server"])
    peer = _grounded(codes(pc.if_else(flows["inbound"], flows["client"], named)))
    who = codes(flows["device"]), whole(flows["uid"]), codes(flows["package"])
    start = whole(flows["start"])
    if "dns" not in telemetry:
        return Sightings(*who, peer, start, number)
    dns = telemetry["dns"]
    carried, asked = whole(dns["flow"]), _grounded(codes(dns["qname"]))
    of = np.flatnonzero(np.isin(number, carried))  # flows that carry look-ups, and are no destination themselves
    visited = {peer.texts[code] for code in np.unique(np.delete(peer.code, of)).tolist() if code != NULL}
    _, first = np.unique(number[of], return_index=True)
    place = joined(number[of[first]], carried)
    known = np.array([text not in visited for text in asked.texts] + [False])
    rows = np.flatnonzero((place != NULL) & known[asked.code])
    looked = of[first][place[rows]]
    plain = np.setdiff1d(np.arange(len(number)), of)
    take = np.concatenate([plain, looked])
    names = pa.chunked_array([pa.array([peer.text(row) for row in plain.tolist()], pa.string())])
    queries = pa.chunked_array([pa.array([asked.text(row) for row in rows.tolist()], pa.string())])
    both = codes(pa.chunked_array([*names.chunks, *queries.chunks], pa.string()))
    device, package = (replace(one, code=one.code[take]) for one in (who[0], who[2]))
    times = np.concatenate([start[plain], whole(dns["time"])[rows]])
    return Sightings(device, who[1][take], package, both, times, number[take])
