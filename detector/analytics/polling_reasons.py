"""The reasons of an AN1793 finding: every factor with value, expectation, weight and a sentence to check by hand."""

from __future__ import annotations

import numpy as np

from detector.analytics.polling_score import Judgement, effective_weights
from detector.contacts import Contacts
from detector.contract import Reason
from detector.features.size_constancy import largest_cluster
from detector.thresholds import PollingThresholds

SHAPE = {
    "interval_regularity": (
        "below 0.5 for people and pages",
        "the middle half of the gaps lies between {low} and {high}",
    ),
    "gap_floor": ("near 0 for people and pages", "the shortest gaps are {floor}, the median is {period}"),
    "mode_share": ("below 0.5 for people and pages", "gaps sit within a quarter of one, two or three times {period}"),
    "background_use": ("below 0.5 for apps a person drives", "locked and unlocked alike, or locked only, outside use"),
    "size_constancy": (
        "below 0.5 for content",
        "{same:.0%} of requests carry about {up:,} B, answers mostly {down:,} B",
    ),
    "smallness": ("0 for pages and media", "a contact carries {volume:,} B of payload in the median"),
    "hour_coverage": ("below 0.8 for apps a person drives", "contacts fall into {hours} different hours"),
}
UNKNOWN = {
    "background_use": "unknown: no device state, or one lock state only; its weight went to the timing factors",
    "hour_coverage": "unknown: under three hours were observed; its weight went to the other factors",
    "size_constancy": "unknown: no payload was carried; its weight went to the other factors",
    "smallness": "unknown: no payload was carried; its weight went to the other factors",
}
ANOMALIES = {
    "name_anomaly": "naming: no SNI, an address nobody looked up, a name other than the answered one, random letters",
    "dns_tunnel": "look-ups below the domain that look like data: new labels each time, long, or of odd types",
    "protocol_role": "protocols the category of the app has no use for",
    "task_mixture": "empty polls mixed with a large answer that a large request follows within a minute",
}
STATE = {
    "lock_independence": ("near 0 for a person", "contact rate while locked against unlocked, smaller over larger"),
    "background_share": ("its category decides", "share of contacts while the app was not in the foreground"),
    "lock_preference": ("0.5 is indifferent, 1 is only while locked", "preference for the locked device"),
    "idle_share": ("its category decides", "share of contacts long after the last user interaction"),
}


def duration(seconds: float) -> str:
    """A duration as people write it.

    >>> duration(2.204), duration(300), duration(0.013), duration(7200)
    ('2.20 s', '5.0 min', '0.013 s', '2.0 h')
    """
    if seconds < 1:
        return f"{seconds:.3f} s"
    if seconds < 120:
        return f"{seconds:.2f} s"
    return f"{seconds / 60:.1f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def polling_reasons(contacts: Contacts, found: Judgement, limits: PollingThresholds) -> tuple[Reason, ...]:
    """All factors of one judgement, the period first."""
    return (
        _period(contacts, found),
        _amount(contacts, found),
        *_shape(contacts, found, limits),
        *_anomalies(found, limits),
        *_relief(found, limits),
        *_state(found),
        _symmetry(found),
    )


def _period(contacts: Contacts, found: Judgement) -> Reason:
    gaps = contacts.gaps_s()
    low, middle, high = np.quantile(gaps, (0.25, 0.5, 0.75))
    what = "look-ups below" if contacts.looked_up else "contacts with"
    text = (
        f"{len(contacts)} {what} {found.peer.name} ({_addresses(found)}), median {duration(middle)} apart, "
        f"middle half within {duration(high - low)}; contacts closer than {contacts.merge_gap_s:g} s count as one"
    )
    return Reason("period_s", round(float(middle), 3), "no one period", 0.0, text)


def _addresses(found: Judgement) -> str:
    shown = ", ".join(found.peer.addresses[:4])
    more = len(found.peer.addresses) - 4
    return f"{shown} and {more} more" if more > 0 else shown


def _amount(contacts: Contacts, found: Judgement) -> Reason:
    text = f"{len(contacts)} contacts; the score is multiplied by {found.evidence:.2f} for how much was seen"
    return Reason("contacts", len(contacts), "few", 1.0, text)


def _shape(contacts: Contacts, found: Judgement, limits: PollingThresholds) -> list[Reason]:
    gaps = contacts.gaps_s()
    low, middle, high = (duration(value) for value in np.quantile(gaps, (0.25, 0.5, 0.75)))
    same, up = largest_cluster(contacts.up, limits.payload_symmetry_threshold)
    values = {
        "low": low,
        "high": high,
        "period": middle,
        "floor": duration(float(np.quantile(gaps, 0.05))),
        "same": same,
        "up": up,
        "down": largest_cluster(contacts.down, limits.payload_symmetry_threshold)[1],
        "volume": int(np.median(contacts.up + contacts.down)),
        "hours": len(np.unique(contacts.times // 3_600_000_000)),
    }
    reasons = []
    weights = effective_weights(found.factors, limits.weights)
    for name, value in found.factors.items():
        expected, text = SHAPE[name]
        known = text.format(**values) if value is not None else UNKNOWN.get(name, "unknown")
        reasons.append(_reason(name, value, expected, round(weights[name], 4), known))
    return reasons


def _anomalies(found: Judgement, limits: PollingThresholds) -> list[Reason]:
    reasons = []
    for name, value in found.anomalies.items():
        text = f"{'looked for' if value is not None else 'unknown to this sensor:'} {ANOMALIES[name]}"
        reasons.append(_reason(name, value, "0", limits.anomaly_lift, text))
    return reasons


def _relief(found: Judgement, limits: PollingThresholds) -> list[Reason]:
    role = {
        True: "the app's category explains background contacts, and nothing else is odd",
        False: "the app's category does not explain background contacts, or something else is odd",
        None: "unknown category: nothing was taken off, and nothing was learned of this enterprise (noisy)",
    }[found.explained]
    others = (
        "unknown: no second device or app to ask"
        if found.prevalence is None
        else "how widely other devices and apps of this recording use the destination"
    )
    explained = None if found.explained is None else float(found.explained)
    return [
        _reason("role_baseline", explained, "1 for apps that must sync", limits.role_relief, role),
        _reason("prevalence", found.prevalence, "above 0 for shared services", limits.prevalence_relief, others),
    ]


def _state(found: Judgement) -> list[Reason]:
    reasons = []
    for name, value in found.state.items():
        expected, text = STATE[name]
        reasons.append(_reason(name, value, expected, 0.0, text if value is not None else f"unknown: {text}"))
    return reasons


def _symmetry(found: Judgement) -> Reason:
    text = "median request against median answer, smaller over larger; a TLS handshake hides it"
    return _reason("size_symmetry", found.symmetry, "near 0 for content", 0.0, text)


def _reason(name: str, value: float | None, expected: str, weight: float, text: str) -> Reason:
    return Reason(name, None if value is None else round(value, 4), expected, weight, text)
