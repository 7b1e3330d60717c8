"""AN1793 asked about one app and destination: the measured groups with the very scores that decide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from detector.analytics.polling_finding import Told, told_of
from detector.analytics.polling_measured import Measured, measured
from detector.analytics.polling_reasons import SHAPE, STATE, polling_reasons
from detector.analytics.polling_score import Scored, scored, scores
from detector.contacts import RARE
from detector.contract import Telemetry
from detector.counterfactual import Limits
from detector.scored_groups import ScoredGroups
from detector.thresholds import PollingThresholds

SHARE = Limits(0.0, 1.0)
#: Contacts: more of them are more evidence; a million is a contact a second for eleven days.
CONTACTS = Limits(1.0, 1_000_000.0, log=True, whole=True)
#: What the innocent have of what is no reason of its own.
EXPECTED = {"gate": "near 0: others go there, too", "explained": "1: its category explains background contacts"}


def polling_groups(telemetry: Telemetry, limits: PollingThresholds) -> ScoredGroups:
    """All groups of a telemetry, and which of their factors another behaviour, app or network could have changed."""
    found = measured(telemetry, limits)
    groups = ScoredGroups(
        device=found.device,
        uid=found.uid,
        package=found.package,
        peer=found.destination,
        first=found.first,
        last=found.last,
        columns=found.columns,
        scores=lambda columns: scores(columns, limits),
        threshold=limits.threshold,
        limits=changeable(limits),
        fewest=limits.connection_frequency_threshold,
        merged=RARE,
        expected={name: words[0] for name, words in {**SHAPE, **STATE}.items()} | EXPECTED,
        weights={**limits.points_weights, **limits.anomaly_lift, **limits.product_weights},
    )
    return _told(groups, found, scored(found.columns, limits), limits) if len(found) else groups


def changeable(limits: PollingThresholds) -> Mapping[str, Limits]:
    """Between what each factor of the score may change; what only describes (days, shares, the fleet) is in the gate.

    An unknown gate or share is taken up from 0, the most innocent.
    """
    weighed = {**limits.product_weights, **limits.points_weights, **limits.anomaly_lift}
    explained = Limits(0.0, 1.0, whole=True)
    return {"gate": SHARE, "contacts": CONTACTS, **dict.fromkeys(weighed, SHARE), "explained": explained}


def _told(groups: ScoredGroups, found: Measured, result: Scored, limits: PollingThresholds) -> ScoredGroups:
    """The groups with what a finding would say of each."""

    def told(row: int) -> Told:
        return told_of(found, result, row, limits)

    def texts(row: int) -> dict[str, str]:
        one = told(row)
        reasons = polling_reasons(one.contacts, one.shape, one.peer, one.verdict, limits)
        found = {why.feature: why.text for why in reasons}
        applied = f"as measured; {one.verdict.parts['gate']:.4g} was applied, see baseline_gate"
        return found | {"gate": f"{applied}: {found['baseline_gate']}"}

    return replace(groups, excuse=lambda row: told(row).excuse(limits), texts=texts)
