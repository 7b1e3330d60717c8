"""The reasons of an AN1793 finding: every factor with value, expectation, weight and a sentence to check by hand."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from detector.analytics.polling_past import past_reasons
from detector.analytics.polling_peer import Peer
from detector.analytics.polling_shape import Shape
from detector.contacts import Contacts
from detector.contract import Reason
from detector.thresholds import PollingThresholds

#: Of every factor: what the innocent have, and a sentence, filled in with ``_values``.
SHAPE: Mapping[str, tuple[str, str]] = {
    "interval_regularity": (
        "below 0.5 for people and pages",
        "the middle half of the gaps lies between {low} and {high}, or gaps two or three contacts wide are more alike",
    ),
    "gap_floor": ("near 0 for people and pages", "the shortest gaps are {floor}, the median is {period}"),
    "mode_share": (
        "below 0.5 for people and pages",
        "gaps sit within a quarter of one, two or three times a base such as {period}",
    ),
    "background_use": ("below 0.5 for apps a person drives", "locked and unlocked alike, or locked only, outside use"),
    "size_constancy": (
        "below 0.5 for content",
        "{same:.0%} of requests carry about {up:,} B, answers mostly {down:,} B",
    ),
    "smallness": ("0 for pages and media", "a contact carries {volume:,} B of payload in the median"),
    "hour_coverage": ("below 0.8 for apps a person drives", "contacts fall into {hours} different hours"),
    "contact_spread": ("below 0.5 for apps a person drives", "{n} contacts fall into {hours} different hours"),
    "night_coverage": ("near 0 for apps a person drives", "hours with a contact among the device's six quietest"),
    "lock_independence": ("near 0 for a person", "contact rate while locked against unlocked, smaller over larger"),
    "background_share": ("its category decides", "share of contacts while the app was not in the foreground"),
    "lock_preference": ("0.5 is indifferent, 1 is only while locked", "preference for the locked device"),
    "name_anomaly": (
        "0",
        "looked for no SNI, an address nobody looked up, a name not the answered one or not Host, random letters",
    ),
    "dns_tunnel": ("0", "looked for look-ups below the domain that look like data: always new, long, or of odd types"),
    "protocol_role": ("0", "looked for protocols the category of the app has no use for"),
    "task_mixture": (
        "0",
        "looked for empty polls mixed with a large answer that a large request follows within a minute",
    ),
    "stack_first_use": ("0", "flows with a TLS fingerprint (JA4) that the app shows to nobody else"),
    "contact_rate": ("below 0.5", "contacts a day against other apps of the category, in robust deviations"),
}
STATE: Mapping[str, tuple[str, str]] = {
    "idle_share": ("its category decides", "share of contacts long after the last user interaction"),
    "size_symmetry": (
        "near 0 for content",
        "median request against median answer, smaller over larger; a TLS handshake hides it",
    ),
}
MISSING = {
    "background_use": "no device state, or too few contacts for both; its weight went to the timing factors",
    "background_share": "no device state, or nobody used the device; its weight went to the timing factors",
    "hour_coverage": "under three hours were observed; its weight went to the other factors",
    "contact_spread": "under three hours were observed; its weight went to the other factors",
    "night_coverage": "under a day was observed; its weight went to the other factors",
    "size_constancy": "no payload was carried; its weight went to the other factors",
    "smallness": "no payload was carried; its weight went to the other factors",
}


@dataclass(frozen=True)
class Verdict:
    """What became of one group: its columns, the parts of its score, and the weight of each factor as applied."""

    columns: Mapping[str, float]
    parts: Mapping[str, float]  # of polling_score.Scored
    weights: Mapping[str, float]  # of the weighted mean, without what is unknown

    def known(self, name: str) -> float | None:
        """A factor; None where it is unknown."""
        value = self.columns[name]
        return None if math.isnan(value) else value


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


def polling_reasons(
    contacts: Contacts, shape: Shape, peer: Peer, found: Verdict, limits: PollingThresholds
) -> tuple[Reason, ...]:
    """All factors of one judgement, the period first."""
    values = _values(shape, len(contacts))
    weight = _weights(found, limits)
    return (
        _period(contacts, shape, peer),
        _amount(contacts, found),
        *(_factor(name, words, found.known(name), weight(name), values) for name, words in SHAPE.items()),
        _baseline(found),
        *past_reasons(found.columns),
        *_relief(found, limits),
        *(_factor(name, words, found.known(name), 0.0, values) for name, words in STATE.items()),
        *_scores(found, limits),
    )


def _weights(found: Verdict, limits: PollingThresholds) -> Callable[[str], float]:
    """The weight of a factor in the product; of one that only the points have, its log odds there."""
    only = {name: w for name, w in limits.points_weights.items() if name not in limits.product_weights}
    table = {**only, **limits.anomaly_lift, **found.weights}
    return lambda name: table.get(name, 0.0)


def _values(shape: Shape, contacts: int) -> dict[str, object]:
    gaps = {name: duration(getattr(shape, name)) for name in ("floor", "low", "period", "high")}
    return {**vars(shape), **gaps, "n": contacts}


def _factor(
    name: str, words: tuple[str, str], value: float | None, weight: float, values: Mapping[str, object]
) -> Reason:
    expected, text = words
    told = text.format(**values)
    if value is None:
        told = f"unknown: {MISSING[name]}" if name in MISSING else f"unknown to this sensor: {told}"
    return _reason(name, value, expected, weight, told)


def _period(contacts: Contacts, shape: Shape, peer: Peer) -> Reason:
    what = "look-ups below" if contacts.looked_up else "contacts with"
    text = (
        f"{len(contacts)} {what} {peer.who()} ({peer.where()}), median {duration(shape.period)} apart, "
        f"middle half within {duration(shape.high - shape.low)}; "
        f"contacts closer than {contacts.merge_gap_s:g} s count as one"
    )
    return Reason("period_s", round(shape.period, 3), "no one period", 0.0, text)


def _amount(contacts: Contacts, found: Verdict) -> Reason:
    seen = found.parts["evidence"]
    text = f"{len(contacts)} contacts; the score is multiplied by {seen:.2f} for how much was seen"
    return Reason("contacts", len(contacts), "few", 1.0, text)


def _baseline(found: Verdict) -> Reason:
    """How far the destination deviates from what is normal here, and who could say so."""
    words = []
    days, share, of = (found.known(name) for name in ("own_days", "app_share", "app_devices"))
    if days is not None:
        words.append(f"this app of this device went there on {days:g} days of the learning period")
    if found.known("own_app") == 0:
        words.append("but the app came to the device only since, so that all it does is new")
    if share is not None:
        words.append(f"{share:.0%} of {of or 0:g} other devices with the app do")
    fleet = found.known("fleet_share")
    if fleet is not None:
        words.append(f"{fleet:.1%} of all other devices do")
    if found.known("fleet_new"):
        words.append("nobody did before")
    if not found.columns["baseline"]:
        words.append("nothing was learned of this enterprise: noisy, and severity is lowered")
    return Reason(
        "baseline_gate",
        round(found.parts["gate"], 4),
        "near 0 for what others do",
        1.0,
        "; ".join(words) or "unknown: no other device and no learning period to ask",
    )


def _relief(found: Verdict, limits: PollingThresholds) -> list[Reason]:
    explained, shared = found.known("explained"), found.known("prevalence")
    role = {
        1.0: "the app's category or role explains background contacts, as long as nothing else is odd",
        0.0: "the app's category or role does not explain background contacts",
        None: "unknown category: nothing was taken off",
    }[explained]
    others = (
        "unknown: no second device or app to ask"
        if shared is None
        else "how widely other devices and apps of this recording use the destination"
    )
    own = limits.role_relief["baseline" if found.columns["baseline"] else "no_baseline"]
    weight = 0.0 if found.columns["baseline"] else limits.prevalence_relief
    return [
        _reason("role_baseline", explained, "1 for apps that must sync", own, role),
        _reason("prevalence", shared, "above 0 for shared services", weight, others),
    ]


def _scores(found: Verdict, limits: PollingThresholds) -> list[Reason]:
    own = "baseline" if found.columns["baseline"] else "no_baseline"
    text = "{} = {:.3f}, its own threshold is {:g}; the larger of both scores counts, each against its threshold"
    product = text.format("gate x evidence x weighted mean, lifted by anomalies", *_of(found, limits, "product", own))
    points = text.format("logistic sum of gate x factors", *_of(found, limits, "points", own))
    return [
        _reason("product", found.parts["product"], "below its threshold", 0.0, product),
        _reason("points", found.parts["points"], "below its threshold", 0.0, points),
    ]


def _of(found: Verdict, limits: PollingThresholds, name: str, own: str) -> tuple[float, float]:
    thresholds: Mapping[str, float] = getattr(limits, f"{name}_threshold")
    return found.parts[name], thresholds[own]


def _reason(name: str, value: float | None, expected: str, weight: float, text: str) -> Reason:
    return Reason(name, None if value is None else round(value, 4), expected, round(weight, 4), text)
