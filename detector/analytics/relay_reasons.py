"""The reasons of an AN1702 finding: requests granted, and each factor of bridged traffic with a checkable sentence."""

from __future__ import annotations

from detector.analytics.proxy_handshake import Asked
from detector.analytics.relay_window import RelayJudgement
from detector.contract import Reason
from detector.thresholds import RelayThresholds


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


def bridge_reasons(found: RelayJudgement, limits: RelayThresholds) -> tuple[Reason, ...]:
    """The factors of the worst window, R1 to R8 of the measurements."""
    anchor = f"{found.into:,} B came in and {found.out:,} B went out by {found.anchor}"
    same = f"{anchor}; the app's {found.streams} other flows carried as much the other way ({found.conservation:.0%})"
    hidden = "share of relayed bytes in the background without recent interaction"
    stacks = f"{found.stacks} different TLS clients (JA4) speak through this one app"
    bridge = "bytes arriving on one side leave on the other within 3 s, correlation of 1 s bins, both ways"
    setup = "the app listened, accepted or opened a raw socket within the time window"
    pairing = "flows open right after bytes arrived on the anchor, beyond chance"
    return (
        _reason("byte_conservation", found.conservation, "near 0", 1.0, same),
        _reason("bridge_correlation", found.correlation, "near 0", 1.0, bridge),
        _reason("fan_out", found.fan_out, "its category decides", 0.3, f"{found.destinations} unrelated destinations"),
        _reason("stack_diversity", found.diversity, "1 to 3 clients", 0.3, stacks),
        _reason("background_share", found.background, "0", 0.5 * limits.foreground_state_required, hidden),
        _reason("streams", float(found.streams), "0", 1.0, f"{found.streams} relayed flows in the worst window"),
        _reason("sustained", found.sustained, "0", 1.0, "share of the least duration over which both sides moved"),
        _reason("pairing_lift", found.pairing, "near 0", 0.0, pairing),
        _reason("setup", None if found.setup is None else float(found.setup), "0", 0.0, setup),
        _reason("concurrency", float(found.concurrent), "few", 0.0, f"{found.concurrent} relayed flows open at once"),
    )


def _reason(name: str, value: float | None, expected: str, weight: float, text: str) -> Reason:
    known = text if value is not None else f"unknown to this sensor: {text}"
    return Reason(name, None if value is None else round(value, 4), expected, weight, known)
