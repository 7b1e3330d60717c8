"""The control that suspects everybody: one alert per device, app, peer and analytic, what shouting wolf scores."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from detector.columns import NULL, Codes, Int64, codes, numbered, whole
from detector.contract import ANALYTICS, Detector, Finding, Reason, Telemetry

WHY = Reason("app_seen", 1.0, "1", 1.0, "this app was seen at all; this detector looks no further")


@dataclass
class Always:
    """A detector that alerts for every app seen on the network; by its sockets where a tunnel hides its flows."""

    name: str = "always"
    version: str = "3"
    needs: tuple[str, ...] = ()

    def detect(self, telemetry: Telemetry) -> Iterator[Finding]:
        """AN1793 for every app and peer, AN1702 for every app; without flows, the clients of the dns table."""
        for analytic in ANALYTICS:
            yield from self._shout(telemetry, analytic)

    def _shout(self, telemetry: Telemetry, analytic: str) -> Iterator[Finding]:
        device, uid, package, peer, start = _seen(telemetry)
        if not len(start):
            return
        group, first = numbered(device.code, uid, package.code, *([peer.code] if analytic == "AN1793" else []))
        order = np.argsort(group, kind="stable")
        ends = np.cumsum(np.bincount(group, minlength=len(first)))
        for row, begin, end in zip(first.tolist(), [0, *ends[:-1].tolist()], ends.tolist(), strict=True):
            times = start[order[begin:end]]
            yield Finding(
                analytic=analytic,
                device=device.text(row) or "",
                uid=None if uid[row] == NULL else int(uid[row]),
                package=package.text(row),
                peer=peer.text(row) if analytic == "AN1793" else None,
                first_seen=int(times.min()),
                last_seen=int(times.max()),
                decided_at=int(times.min()),
                score=1.0,
                alert=True,
                severity="low",
                detector=self.name,
                detector_version=self.version,
                reasons=(WHY,),
                partial=telemetry.partial is not None,
            )


def _seen(telemetry: Telemetry) -> tuple[Codes, Int64, Codes, Codes, Int64]:
    """Device, uid, package, peer and time of everything that was said."""
    if "flows" in telemetry:
        flows = telemetry["flows"]
        named = pc.coalesce(flows["name"], _asked(flows["flow"], telemetry), flows["server"])
        named = pc.if_else(flows["inbound"], flows["client"], named)
        said = {name: flows[name] for name in ("device", "uid", "package")} | {"peer": named, "start": flows["start"]}
        rows = pa.concat_tables([pa.table(said), _tunnelled(telemetry)])
        who = codes(rows["device"]), whole(rows["uid"]), codes(rows["package"])
        return *who, codes(rows["peer"]), whole(rows["start"])
    dns = telemetry["dns"]
    nobody = np.full(len(dns), NULL, np.int64)
    return codes(dns["client"]), nobody, Codes(nobody, []), codes(dns["qname"]), whole(dns["time"])


def _tunnelled(telemetry: Telemetry) -> pa.Table:
    """Device, uid, package, peer and start of the connections of apps that have no flow at all: in a tunnel, then."""
    flows = telemetry["flows"]
    names = {"device": "device", "uid": "uid", "package": "package", "peer_address": "peer", "time": "start"}
    if not {"sockets", "packages"} <= set(telemetry.tables):
        return (
            flows.select(["device", "uid", "package", "server", "start"]).slice(0, 0).rename_columns([*names.values()])
        )
    sockets = telemetry["sockets"]
    spoken = sockets.filter(pc.and_(pc.is_valid(sockets["peer_address"]), pc.not_equal(sockets["event"], "close")))
    kept = spoken.select(["device", "uid", "peer_address", "time"])
    alone = kept.join(flows.select(["device", "uid"]), ["device", "uid"], join_type="left anti")
    packages = telemetry["packages"].select(["device", "uid", "package"])
    return alone.join(packages, ["device", "uid"]).select([*names]).rename_columns([*names.values()])


def _asked(flow: pa.ChunkedArray, telemetry: Telemetry) -> pa.ChunkedArray | pa.Scalar:
    """The first name asked for in each flow, null where none was."""
    if "dns" not in telemetry:
        return pa.scalar(None, pa.string())
    dns = telemetry["dns"]
    return dns["qname"].take(pc.index_in(flow, value_set=dns["flow"].combine_chunks()))


def create(argument: str) -> Detector:
    """The detector that always alerts; LookupError if given an argument."""
    if argument:
        raise LookupError(f"detector always: found the argument '{argument}', expected none")
    return Always()
