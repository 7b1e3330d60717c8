"""AN1702: an app through which others reach the network: proxy requests it granted, or traffic bridged through it.

A request granted decides alone; traffic shape never speaks of one connection. What it says wrongly: volunteer relays,
VPN, tethering and casting are relays; only the inventory's roles and a learned baseline tell them apart.

What each view can no longer see: no-decryption nothing (requests are not used) · no-state the share of relaying that is
unattended · no-app which app relays: bridges are looked for among all flows of an address, below WORTH_A_LOOK of them
in vain; sockets, client stacks and roles · no-sni domains: destinations are addresses, and unknown to most baselines ·
netflow moments: correlation, pairing, sizes; what is left is conservation over whole windows, greetings of proxies are
gone · sampled-1in100 the same of estimates, and most short flows · dns-only everything: it is not judged. In every view
a relay inside a VPN of the whole device is one flow, and says nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from detector.analytics.proxy_handshake import Asked, asked_to_relay
from detector.analytics.relay_anew import HALF, anew, how_new, request_score, turned
from detector.analytics.relay_decided import Who, decided, of_app
from detector.analytics.relay_measured import Measured, measured
from detector.analytics.relay_policy import Circumstances, Shape, allowed_score, excuse, severity
from detector.analytics.relay_reasons import asked_reasons, baseline_reason, bridge_reasons
from detector.analytics.relay_requested import requested_locally
from detector.analytics.relay_score import scores
from detector.by_device import ByDevice
from detector.columns import NULL, Int64, codes
from detector.contacts import Flows
from detector.contract import Finding, Reason, Telemetry
from detector.destinations import is_local
from detector.grouped import Float64
from detector.inventory import Installed, allowance, read_inventory
from detector.packed import plain
from detector.signature import Signature
from detector.thresholds import RelayThresholds
from detector.until import until

__all__ = ["Bridged", "every_bridge", "measured", "scores", "traffic_relay"]
ANALYTIC = "AN1702"


@dataclass(frozen=True)
class Bridged:
    """The windows of one app: the worst, and how they scored. Rows are those of ``found``."""

    found: Measured
    rows: Int64
    scores: Float64  # (k,) of the rows

    @property
    def at(self) -> int:
        """The row of the worst window."""
        return int(self.rows[np.argmax(self.scores)])

    @property
    def score(self) -> float:
        """Of the worst window."""
        return float(self.scores.max())

    @property
    def row(self) -> dict[str, float]:
        """The columns of the worst window."""
        return {name: float(column[self.at]) for name, column in self.found.columns.items()}

    def seen(self, threshold: float) -> tuple[int, int]:
        """When the windows that reach the threshold, or else the worst, relayed first and last."""
        over = self.rows[self.scores >= threshold]
        rows = over if len(over) else np.array([self.at])
        return int(self.found.first[rows].min()), int(self.found.last[rows].max())


def traffic_relay(telemetry: Telemetry, limits: RelayThresholds, by: Signature) -> Iterator[Finding]:
    """Findings of AN1702, one per (device, app), alerts and near misses."""
    inventory = read_inventory(telemetry.tables.get("packages"))
    near = limits.threshold * limits.near_miss
    shown = [
        (who, asked, bridged if bridged is not None and bridged.score >= near else None)
        for who, asked, bridged in every_bridge(telemetry, limits, near)
    ]
    shown = [one for one in shown if any(part is not None for part in one[1:])]
    apart = ByDevice(telemetry, {who[0] for who, _, _ in shown})
    for who, asked, bridged in shown:
        yield Case(apart.of(who[0]), limits, who, asked, bridged, inventory.find(*who)).finding(by)


def every_bridge(
    telemetry: Telemetry, limits: RelayThresholds, least: float = 0.0
) -> Iterator[tuple[Who, Asked | None, Bridged | None]]:
    """Every app that was asked to relay or has a window that can be judged, innocent or not.

    Windows that score less than ``least`` may be left out.
    """
    asked = {(one.device, one.uid, one.package): one for one in requests(telemetry)}
    found = measured(telemetry, limits, least)
    bridged = dict(_by_app(found, scores(found.columns, limits)))
    yield from ((who, asked.get(who), bridged.get(who)) for who in sorted({*asked, *bridged}, key=str))


def _by_app(found: Measured, scored: Float64) -> Iterator[tuple[Who, Bridged]]:
    apps: dict[Who, list[int]] = {}
    for row in np.flatnonzero(scored > 0).tolist():
        uid = int(found.uid[row])
        who = (found.device.text(row) or "", None if uid == NULL else uid, found.package.text(row))
        apps.setdefault(who, []).append(row)
    for who, rows in apps.items():
        kept = np.array(rows, np.int64)
        yield who, Bridged(found, kept, scored[kept])


def requests(telemetry: Telemetry) -> Iterator[Asked]:
    """What apps were asked to relay; devices on which nobody asked are not looked at."""
    table = telemetry["flows"]
    asking = pc.is_valid(table["proxy"])
    if not pc.any(asking).as_py():
        return iter(())
    device = codes(table["device"])
    chosen = np.zeros(len(device.texts) + 1, np.bool_)
    chosen[device.code[np.asarray(asking)]] = True
    mine: pa.Table = plain(table.filter(pa.array(chosen[device.code])))
    return asked_to_relay(mine, Flows.read(mine), telemetry.tables.get("exchanges"))


@dataclass(frozen=True)
class Case:
    """All that is known of one app that may relay; the telemetry is that of its device."""

    telemetry: Telemetry
    limits: RelayThresholds
    who: Who
    asked: Asked | None
    bridged: Bridged | None
    app: Installed | None

    def finding(self, by: Signature) -> Finding:
        """The finding about it."""
        device, uid, package = self.who
        row = self.bridged.row if self.bridged else {}
        why = self.excuse()
        score = self._score(row)
        alert = score >= self.limits.threshold and not why
        score = allowed_score(score, self.limits) if why else score
        first, last = self._seen()
        moment = self._decided(last)
        reasons = self._reasons(row)
        return Finding(
            analytic=ANALYTIC,
            device=device,
            uid=uid,
            package=package or (self.app.package if self.app else None),
            peer=None,
            first_seen=first if moment >= first else self._begun(moment),
            last_seen=last,
            decided_at=moment,
            score=round(score, 6),
            alert=bool(alert),
            severity=severity(self._circumstances(row)) if alert else "informational",
            detector=by.name,
            detector_version=by.version,
            reasons=(*reasons, allowance(why, self.limits.allowed_relief)) if why else reasons,
            partial=by.partial,
        )

    def _score(self, row: Mapping[str, float]) -> float:
        said = 0.0
        if self.asked:
            said = request_score(self.asked, how_new(self.asked, self.telemetry.baseline, row), self.limits)
        return max(said, self.bridged.score if self.bridged else 0.0)

    def excuse(self) -> str | None:
        """Why it may not alert; None if it may. The inventory covers what was known of it, not what it turns to."""
        row = self.bridged.row if self.bridged else {}
        baseline = self.telemetry.baseline
        shapes = None if turned(self.asked, baseline, row) else self._shapes(row)
        told = excuse(self.app, shapes, self.limits, known=anew(self.asked, baseline, row) < HALF)
        return told or (self.asked.elsewhere if self.asked else None)

    def _shapes(self, row: Mapping[str, float]) -> list[Shape]:
        """By which ways in strangers came, as far as it was seen."""
        shapes = []
        if self.asked:
            nearby = all(is_local(text) for text in self.asked.askers)
            entrance = "dialled" if self.asked.reverse else "nearby" if nearby else "far"
            shapes.append(Shape(entrance, len(self.asked.targets)))
        if self.bridged and self.bridged.score >= self.limits.threshold:
            entrance = "dialled" if not row["accepted"] else "nearby" if row["nearby"] else "far"
            requested = requested_locally(self.telemetry, self.who)
            shapes.append(Shape(entrance, int(row["destinations"]), requested))
        return shapes

    def _seen(self) -> tuple[int, int]:
        times = [(self.asked.first, self.asked.last)] if self.asked else []
        times += [self.bridged.seen(self.limits.threshold)] if self.bridged else []
        return min(first for first, _ in times), max(last for _, last in times)

    def _decided(self, last: int) -> int:
        """When the first of both kinds of evidence sufficed; of a near miss, when it was all there."""
        sure = [self.asked.decided] if self.asked and self.asked.granted else []
        if self.bridged and self.bridged.score >= self.limits.threshold and not sure:
            moment = decided(of_app(self.telemetry, self.who), self._fires)
            sure += [] if moment is None else [moment]
        return min(sure) if sure else self.asked.decided if self.asked else last

    def _begun(self, moment: int) -> int:
        """When what sufficed then had begun: in a window that later innocent traffic may have taken down again."""
        found = measured(until(of_app(self.telemetry, self.who), moment), self.limits)
        over = scores(found.columns, self.limits) >= self.limits.threshold
        return int(found.first[over].min(initial=moment))

    def _fires(self, telemetry: Telemetry) -> bool:
        found = measured(telemetry, self.limits, self.limits.threshold)
        return bool(scores(found.columns, self.limits).max(initial=0.0) >= self.limits.threshold)

    def _reasons(self, row: Mapping[str, float]) -> tuple[Reason, ...]:
        reasons = asked_reasons(self.asked, self.limits) if self.asked else ()
        if self.bridged:
            at, found = self.bridged.at, self.bridged.found
            way = found.way.texts[int(found.way.code[at])]
            reasons += bridge_reasons(row, way, float(found.length[at]) / 3.6e9, self.limits)
        return (*reasons, baseline_reason()) if self.telemetry.baseline is None else reasons

    def _circumstances(self, row: Mapping[str, float]) -> Circumstances:
        known = {name: None if np.isnan(value) else value for name, value in row.items()}
        granted = bool(self.asked and self.asked.granted)
        past = anew(self.asked, self.telemetry.baseline, row)
        new = row.get("novelty", past) if np.isnan(past) else past
        return Circumstances(
            granted=granted,
            carried_out=bool(self.asked and (self.asked.reverse or self.asked.onward)),
            bridged=self.bridged is not None and self.bridged.score >= self.limits.threshold,
            unattended=known.get("unattended_share"),
            setup=known.get("setup_evidence"),
            novelty=None if self.telemetry.baseline is None or np.isnan(new) else new,
        )
