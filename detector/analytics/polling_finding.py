"""One group of AN1793 as a finding: contacts, peer, app and verdict, made only for what is reported."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np

from detector.analytics.polling_measured import Measured, Part
from detector.analytics.polling_naming import answered_share
from detector.analytics.polling_peer import Peer, peer_of
from detector.analytics.polling_reasons import Verdict, polling_reasons
from detector.analytics.polling_score import ODD, ODDITIES, Scored, covered, effective_weights
from detector.analytics.polling_shape import Shape, shapes
from detector.columns import Int64
from detector.contacts import Contacts
from detector.contract import Finding
from detector.grouped import Float64
from detector.inventory import Installed, allowance
from detector.signature import Signature
from detector.thresholds import PollingThresholds

ANALYTIC = "AN1793"
#: Share of the flows whose address an answer gave for their name, from which a name on a list is taken for true.
ANSWERED = 0.9
#: What is left of the relief where no look-ups show whether the name is true.
UNCHECKED = 0.5


@dataclass(frozen=True)
class Told:
    """One group that is reported."""

    group: int
    part: Part
    number: int  # of the group within its part
    contacts: Contacts
    shape: Shape
    peer: Peer
    app: Installed | None
    verdict: Verdict
    answered: float = math.nan  # share of its flows whose name an answer bears out; NaN: no look-ups, or on no list

    def approved(self, limits: PollingThresholds) -> bool:
        """Whether an approval of the app, or a role the inventory gives it, would cover this."""
        columns = {name: np.array([value]) for name, value in self.verdict.columns.items()}
        return bool(covered(columns, limits)[0])

    @property
    def order(self) -> tuple[str, int, str, str, bool]:
        """Device, app and destination."""
        who = self.contacts
        return (who.device, -1 if who.uid is None else who.uid, who.package or "", who.destination, who.looked_up)

    def excuse(self, limits: PollingThresholds) -> str | None:
        """Why it may not alert: inventory, role, or destination on a list; None if it may."""
        allowed = self._allowed(limits)
        if allowed is not None or (listed := self._unchecked(limits)) is None:
            return allowed
        return listed if self.verdict.parts["score"] < self.needed(limits) else None

    def needed(self, limits: PollingThresholds) -> float:
        """The score before any relief at which this alerts, as far as nothing excuses it wholly."""
        unchecked = self._unchecked(limits)
        return limits.threshold / (1 - UNCHECKED * limits.allowed_relief) if unchecked else limits.threshold

    def _allowed(self, limits: PollingThresholds) -> str | None:
        """Why it never alerts, however high it scores."""
        listed = limits.allowed_destination_list
        if not listed.isdisjoint(self.peer.addresses) or (self._listed(limits) and self.answered >= ANSWERED):
            return f"{self.peer.name} is in AllowedDestinationList"
        if self.app is None:
            return None
        trusted = self.app.sanctioned or not self.app.roles.isdisjoint(limits.allowed_roles)
        approved = trusted and self.approved(limits)
        if self.app.sanctioned and approved:
            return f"the inventory holds {self.app.package} for sanctioned"
        return self.app.allowed(limits.allowed_app_list, limits.allowed_roles if approved else ())

    def _unchecked(self, limits: PollingThresholds) -> str | None:
        """What speaks for a name on a list that no look-up shows to be true; None where it is not on a list, or false.

        Any client may present any name. Where look-ups are seen and none vouches for it, it excuses nothing.
        """
        if not self._listed(limits) or not math.isnan(self.answered):
            return None
        return (
            f"{self.peer.name} is in AllowedDestinationList; no look-up shows whether the name is true, so half counts"
        )

    def _listed(self, limits: PollingThresholds) -> bool:
        return not limits.allowed_destination_list.isdisjoint(self.peer.names_told())

    def _relief(self, limits: PollingThresholds) -> tuple[str | None, float]:
        """What speaks for it, and the share of the score it takes off."""
        allowed, unchecked = self._allowed(limits), self._unchecked(limits)
        if allowed or unchecked is None:
            return allowed, limits.allowed_relief if allowed else 0.0
        return unchecked, UNCHECKED * limits.allowed_relief

    def alerts(self, limits: PollingThresholds) -> bool:
        """Whether it reached the threshold and nothing excuses it."""
        return self.verdict.parts["score"] >= limits.threshold and self.excuse(limits) is None

    def finding(self, limits: PollingThresholds, by: Signature, decided_at: int) -> Finding:
        """The finding, with every reason."""
        alert, (excuse, relief) = self.alerts(limits), self._relief(limits)
        score = self.verdict.parts["score"] * (1 - relief)
        reasons = polling_reasons(self.contacts, self.shape, self.peer, self.verdict, limits)
        if excuse:
            reasons += (allowance(excuse, relief, alert=alert),)
        return Finding(
            analytic=ANALYTIC,
            device=self.contacts.device,
            uid=self.contacts.uid,
            package=self.contacts.package or (self.app.package if self.app else None),
            peer=self.peer.name,
            first_seen=int(self.contacts.times[0]),
            last_seen=int(self.contacts.times[-1]),
            decided_at=decided_at,
            score=round(score, 6),
            alert=alert,
            severity=self.severity() if alert else "informational",
            detector=by.name,
            detector_version=by.version,
            reasons=reasons,
            partial=by.partial,
        )

    def severity(self) -> str:
        """From the combination of indicators; high needs device state and a learned baseline.

        Combined: regular in time and size, in the background whether locked or not and long after the last interaction,
        odd in name, protocol or tasks, from an app whose category does not explain it, to where nobody else goes.
        """
        known = self.verdict.known
        idle = known("idle_share")
        unseen = (known("background_use") or 0.0) >= 0.6 and (idle is None or idle >= 0.5)
        signs = [
            min(known("interval_regularity") or 0.0, known("size_constancy") or 0.0) >= 0.5,
            unseen,
            known("explained") == 0,
            max(known(name) or 0.0 for name in ODDITIES) >= ODD,
            bool(self.verdict.columns["baseline"]) and self.verdict.parts["gate"] >= 0.5,
        ]
        if sum(signs) >= 3 and unseen and self.verdict.columns["baseline"]:
            return "high"
        return "medium" if sum(signs) >= 2 else "low"


def told_of(found: Measured, result: Scored, group: int, limits: PollingThresholds) -> Told:
    """One group as what is told of it."""
    return all_told(found, result, np.array([group]), limits)[0]


def all_told(found: Measured, result: Scored, groups: Int64, limits: PollingThresholds) -> list[Told]:
    """Some groups as what is told of each."""
    places = [found.place(group) for group in groups.tolist()]
    every = [part.crowd.one(number) for part, number in places]
    shaped = shapes(every, limits.payload_symmetry_threshold)
    verdicts = _verdicts(found, result, groups, limits)
    told = []
    rows = zip(groups.tolist(), places, every, shaped, verdicts, strict=True)
    for group, (part, number), contacts, shape, verdict in rows:
        peer = peer_of(contacts, part.crowd.pairs.said)
        app = found.known.inventory.find(contacts.device, contacts.uid, contacts.package)
        answered = _answered(found, part, contacts, peer, limits)
        told.append(Told(group, part, number, contacts, shape, peer, app, verdict, answered))
    return told


def _answered(found: Measured, part: Part, contacts: Contacts, peer: Peer, limits: PollingThresholds) -> float:
    """The share of its flows whose name an answer bears out; NaN where the name is on no list."""
    if limits.allowed_destination_list.isdisjoint(peer.names_told()):
        return math.nan
    return answered_share(contacts, part.crowd.pairs.said, found.known.lookups)


def _verdicts(found: Measured, result: Scored, groups: Int64, limits: PollingThresholds) -> list[Verdict]:
    """What became of each of the groups, made of columns all at once."""
    columns = {name: column[groups] for name, column in found.columns.items()}
    weights = {
        name: np.where(np.isnan(columns[name]), 0.0, weight)
        for name, weight in effective_weights(columns, limits.product_weights).items()
    }
    parts = {field.name: np.asarray(getattr(result, field.name))[groups] for field in fields(result)}
    return [
        Verdict(*rows) for rows in zip(*(_rows(table, len(groups)) for table in (columns, parts, weights)), strict=True)
    ]


def _rows(table: Mapping[str, Float64], count: int) -> list[dict[str, float]]:
    """Columns as one mapping for each of so many rows."""
    values = [column.astype(np.float64).tolist() for column in table.values()]
    return [dict(zip(table, row, strict=True)) for row in zip(*values, strict=True)] if values else [{}] * count
