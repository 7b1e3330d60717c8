"""RITA's C2 over DNS: names below one domain, and nobody who goes there."""

import numpy as np
import pytest

from detector.contract import Telemetry, Unsupported, view
from detector.rivals.dns_tunnels import subdomains
from detector.rivals.modifiers import DAY_US


def found(telemetry):
    asked = subdomains(telemetry, DAY_US)
    names = [asked.who.peer.text(owner) for owner in asked.owner.tolist()]
    return dict(
        zip(names, zip(asked.names.tolist(), asked.score.tolist(), asked.direct.tolist(), strict=True), strict=True)
    )


def test_names_are_counted_once_and_a_direct_connection_tells(made):
    for k in range(300):
        made.lookup(k, f"{k % 150:x}.tunnel.example", qtype="TXT")
    for k in range(120):
        made.lookup(k, f"{k:x}.cdn.example")
        made.flow(k + 0.5, name=f"{k:x}.cdn.example")
    told = found(made.telemetry())
    assert told["tunnel.example"] == (150, pytest.approx(0.525 + 0.15), 0.15)
    assert told["cdn.example"] == (120, pytest.approx(0.51), 0.0)


def test_a_resolver_sees_no_connections_and_does_not_guess(made):
    for k in range(150):
        made.lookup(k, f"{k:x}.tunnel.example", qtype="TXT")
    (names, score, direct) = found(view("dns-only")(made.telemetry()))["tunnel.example"]
    assert (names, score) == (150, pytest.approx(0.525))
    assert np.isnan(direct)


def test_days_are_apart_and_without_look_ups_it_cannot_run(made):
    made.span_s = 2 * 86_400
    for k in (0, 1, 86_400):
        made.lookup(k, f"{k:x}.tunnel.example")
    asked = subdomains(made.telemetry(), DAY_US)
    assert (asked.number.tolist(), asked.names.tolist()) == ([0, 1], [2, 1])
    with pytest.raises(Unsupported):
        subdomains(Telemetry({}, span=(0, 1)), DAY_US)
