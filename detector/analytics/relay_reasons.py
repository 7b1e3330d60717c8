"""The reasons of an AN1702 finding: requests granted, and each factor of bridged traffic with a checkable sentence."""

from __future__ import annotations

import math
from collections.abc import Mapping

from detector.analytics.proxy_handshake import Asked
from detector.contract import Reason
from detector.thresholds import RelayThresholds

Row = Mapping[str, float]


def asked_reasons(asked: Asked, limits: RelayThresholds) -> tuple[Reason, ...]:
    """What was asked of the device, by whom, and what followed."""
    way = "over a connection the device itself had opened" if asked.reverse else "on a port of the device"
    answer = "and it granted" if asked.granted else "without an answer in the capture"
    targets = ", ".join(asked.targets[:5]) or "targets that could not be read"
    request = (
        f"{', '.join(asked.askers[:4])} sent {asked.requests} {'/'.join(asked.protocols)} requests {way}, {answer}: "
        f"{targets}"
    )
    weight = limits.handshake_score if asked.granted else limits.unanswered_score
    onward = f"{asked.onward} of the requested targets were connected to by the device within 10 s of the request"
    return (
        Reason("proxy_request", asked.requests, "0", weight, request),
        Reason("onward_leg", asked.onward, "0", 0.0, onward),
        Reason("reverse", float(asked.reverse), "0", 0.0, f"the requests came {way}"),
    )


def bridge_reasons(row: Row, way: str, hours: float, limits: RelayThresholds) -> tuple[Reason, ...]:
    """The factors of a window of ``hours``, those of a weight first."""
    texts = sentences(row, way, hours)
    weights = weights_of(limits)
    known = [name for name in EXPECTED if name in row]
    ordered = sorted(known, key=lambda name: -weights.get(name, 0.0))
    return tuple(_reason(name, row[name], weights.get(name, 0.0), texts[name]) for name in ordered)


def weights_of(limits: RelayThresholds) -> dict[str, float]:
    """The weight of each factor in the score; of what multiplies it, by how much at the most."""
    bridge = {name: weight for name, weight in limits.bridge_weights.items() if name != "timing"}
    timed = limits.bridge_weights.get("timing", 0.0)
    state = (1 - limits.attended_floor) * limits.foreground_state_required
    suspicious = {name: weight for name, weight in limits.suspicion_weights.items() if name != "base"}
    shared = {"bridge_correlation": timed, "pairing_lift": timed, "unattended_share": state, "sustained": 1.0}
    new = 1 - limits.known_floor
    return {**shared, **bridge, **suspicious, "nats": 1.0, "anew": new, "novelty": new}


#: What the innocent have of each factor.
EXPECTED: Mapping[str, str] = {
    "nats": "below 3",
    "bridge_correlation": "near 0",
    "pairing_lift": "near 0",
    "byte_conservation": "near 0",
    "size_agreement": "near 0",
    "bounded_difference": "near 0",
    "fan_out": "its category decides",
    "stack_diversity": "1 to 3 clients",
    "setup_evidence": "0",
    "concurrency": "few",
    "unattended_share": "0",
    "anew": "0",
    "novelty": "near 0",
    "sustained": "0",
    "streams": "0",
    "relayed_share": "near 0",
    "way_new": "0",
}


def sentences(row: Row, way: str, hours: float) -> dict[str, str]:
    """What a person can look up of each factor."""
    number = {name: 0.0 if math.isnan(value) else value for name, value in row.items()}
    came, left = (f"{number[name]:,.0f} B" for name in ("way_in_bytes", "way_out_bytes"))
    sent, got = (f"{number[name]:,.0f} B" for name in ("relayed_out_bytes", "relayed_in_bytes"))
    carried = f"{came} came in and {left} went out by {way} within {hours:g} h"
    others = f"the {number['streams']:.0f} other flows"
    step = f"{number['paired']:.1f} of {others} spoke just when {way} brought their request and took their answer"
    chance = f"{number['expected_by_chance']:.1f} would have minutes earlier or later"
    both = f"those in step sent {sent} and received {got}"
    past = f"{number['past_bridge']:.2f} of 1 then"
    goals = f"{number['destinations']:.0f} destinations of flows in step with {way}"
    return {
        "nats": f"{step}; {chance}: e^-{number['nats']:.0f} by chance",
        "bridge_correlation": "bytes arriving on one side leave on the other within 3 s: correlation, both ways",
        "pairing_lift": f"{step}; {chance}",
        "byte_conservation": f"{carried}; {both}: the same up to one factor, {number['byte_conservation']:.0%}",
        "size_agreement": f"what left by {way} after each answer was as large or small as the answer",
        "bounded_difference": f"the shares of bytes passed by {way} and by the others never ran far apart",
        "fan_out": goals,
        "stack_diversity": f"{number['stacks']:.0f} different TLS clients (JA4) speak through this one app",
        "setup_evidence": "the app was asked to relay (1), accepted sessions (0.7), or had listened (0.5)",
        "concurrency": "relayed flows open at once, by logarithm",
        "unattended_share": "share of relayed bytes in the background without recent interaction",
        "anew": f"how much more clearly it bridges than it, or the same app elsewhere, while it was learned ({past})",
        "novelty": f"share of the {goals} that neither this app nor its like contacted in the learning period",
        "sustained": "share of the least duration over which flows in step were seen",
        "streams": f"{others} beside {way} in {hours:g} h",
        "relayed_share": "share of the app's other bytes that were in step",
        "way_new": f"how little the learning period explains that the app dials {way}",
    }


def _reason(name: str, value: float, weight: float, text: str) -> Reason:
    unknown = math.isnan(value)
    told = f"unknown to this sensor: {text}" if unknown else text
    return Reason(name, None if unknown else round(value, 4), EXPECTED[name], round(weight, 4), told)


def baseline_reason() -> Reason:
    """That nothing was learned of this enterprise."""
    text = "no baseline was given: every destination counts as unrelated, and the severity is lowered"
    return Reason("baseline", None, "learned", 0.0, text)
