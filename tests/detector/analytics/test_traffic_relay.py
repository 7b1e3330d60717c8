"""AN1702 on telemetry made by hand: relays of both kinds, and the benign shapes that share one trait with them."""

from __future__ import annotations

import numpy as np
import pytest

from detector.analytics.traffic_relay import traffic_relay
from detector.signature import Signature
from detector.thresholds import load_thresholds

LIMITS = load_thresholds().relay
BY = Signature("builtin", "test", partial=False)
APP = {"uid": 10_007, "package": "com.example.torch"}


def detect(made):
    return list(traffic_relay(made.telemetry(), LIMITS, BY))


def tunnel_relay(made, rng, *, minutes=30, stacks=8, targets=30, delay_s=0.3, padding=1.0, who=APP):
    """A gateway's requests arrive in one long tunnel, go out to targets, and the answers return by the tunnel."""
    tunnel = made.flow(60, lasts_s=minutes * 60 + 30, server="198.18.9.9", name="gw.cloud.example", **who)
    for start in np.sort(60 + rng.uniform(0, minutes * 60, minutes * 2)):
        up, down = int(rng.integers(400, 2000)), int(rng.integers(2000, 90_000))
        made.exchange(tunnel, start, up=0, down=int(up * padding), delay_s=0.01)
        target = int(rng.integers(targets))
        values = {"server": f"198.18.1.{target}", "name": f"site{target}.example", "ja4": f"t13d{target % stacks}"}
        flow = made.flow(start + delay_s, lasts_s=1.0, up=up, down=down, **values, **who)
        made.exchange(flow, start + delay_s, up, down)
        made.exchange(tunnel, start + 2 * delay_s, up=int(down * padding), down=0)


def listener_relay(made, rng, *, who=APP):
    """Clients of the LAN open sessions to the phone; each is followed by an outbound one with the same bytes."""
    for start in np.sort(rng.uniform(60, 1700, 50)):
        up, down, target = int(rng.integers(400, 2000)), int(rng.integers(2000, 90_000)), int(rng.integers(20))
        caller = {"client": "10.88.0.77", "server": "10.88.0.2", "server_port": 1080, "inbound": True}
        made.exchange(made.flow(start, up=up, down=down, lasts_s=2, **caller, **who), start, up, down, delay_s=1)
        values = {"server": f"198.18.1.{target}", "name": f"site{target}.example"}
        made.exchange(made.flow(start + 0.2, up=up, down=down, **values, **who), start + 0.2, up, down)


@pytest.mark.parametrize("shape", [{}, {"padding": 1.5}, {"delay_s": 1.0}, {"stacks": 3}])
def test_a_tunnel_relay_alerts_with_its_factors(made, rng, shape):
    tunnel_relay(made, rng, **shape)
    (finding,) = detect(made)
    assert finding.alert
    assert (finding.device, finding.package, finding.peer) == ("phone-01", APP["package"], None)
    reasons = {reason.feature: reason.value for reason in finding.reasons}
    assert reasons["byte_conservation"] > 0.6
    assert reasons["bridge_correlation"] > 0.6
    assert reasons["background_share"] is None
    assert finding.first_seen <= finding.decided_at <= finding.last_seen
    assert finding.decided_at < 1_800_000_000, "the first half hour suffices"


def test_a_listener_relay_alerts(made, rng):
    listener_relay(made, rng)
    (finding,) = detect(made)
    assert finding.alert
    assert "accepted sessions" in finding.reasons[0].text


def test_the_bridge_is_what_alerts_not_the_volume(made, rng):
    """Control: the same flows with the outbound ones moved elsewhere in time, or swapped in size, are no bridge."""
    tunnel_relay(made, rng)
    (whole,) = detect(made)
    for row in made.rows["exchanges"]:
        if row["flow"] != 0:
            moved = int(rng.uniform(60, 1800) * 1e6) - row["start"]
            row |= {name: row[name] + moved for name in ("start", "end", "first_down")}
    shuffled = detect(made)
    assert all(not finding.alert and finding.score < whole.score / 2 for finding in shuffled)


def test_background_use_raises_severity(made, rng):
    tunnel_relay(made, rng)
    made.state(0, locked=True)
    (finding,) = detect(made)
    assert finding.alert
    assert finding.severity == "high"


def test_relaying_in_the_foreground_scores_half(made, rng):
    tunnel_relay(made, rng)
    (blind,) = detect(made)
    for minute in range(60):
        made.state(minute * 60, locked=False, foreground=APP["uid"])
    (seen,) = detect(made)
    assert seen.score == pytest.approx(blind.score / 2, rel=0.05)


def test_a_vpn_role_is_informational(made, rng):
    tunnel_relay(made, rng)
    made.app(10_007, "com.example.torch", "tools", roles=("vpn",))
    (finding,) = detect(made)
    assert not finding.alert
    assert finding.severity == "informational"
    assert finding.reasons[-1].feature == "allowed"


def push_and_fetch(made, rng):
    tunnel = made.flow(0, lasts_s=3600, server="198.18.9.9", name="push.example", **APP)
    for start in np.sort(rng.uniform(60, 3500, 60)):
        made.exchange(tunnel, start, up=40, down=300)
        flow = made.flow(start + 0.3, server=f"198.18.1.{rng.integers(9)}", **APP)
        made.exchange(flow, start + 0.3, 800, int(rng.integers(10_000, 90_000)))


def call(made, rng):
    turn = made.flow(0, lasts_s=1500, server="198.18.9.9", name="turn.example", proto="udp", **APP)
    for start in range(0, 1500, 2):
        made.exchange(turn, start, up=20_000, down=20_000, delay_s=1)
    browsing(made, rng)


def browsing(made, rng):
    for start in np.sort(rng.uniform(0, 3500, 300)):
        down = int(rng.lognormal(9, 1.5))
        flow = made.flow(start, lasts_s=5, up=1500, down=down, server=f"198.18.1.{rng.integers(40)}", **APP)
        made.exchange(flow, start, 1500, down)


@pytest.mark.parametrize("benign", [push_and_fetch, call, browsing])
def test_one_trait_of_a_relay_is_no_relay(made, rng, benign):
    benign(made, rng)
    assert [finding for finding in detect(made) if finding.alert] == []


def test_one_connection_never_alerts_by_its_shape(made):
    tunnel = made.flow(0, lasts_s=1200, server="198.18.9.9", **APP)
    made.exchange(tunnel, 100, up=0, down=5000)
    made.exchange(made.flow(100.2, up=5000, down=70_000, server="198.18.1.1", **APP), 100.2, 5000, 70_000)
    made.exchange(tunnel, 100.6, up=70_000, down=0)
    assert detect(made) == []


def test_without_exchanges_correlation_is_unknown(made, rng):
    tunnel_relay(made, rng)
    del made.rows["exchanges"]
    for row in made.rows["flows"][1:]:
        made.rows["flows"][0]["bytes_down"] += row["bytes_up"]
        made.rows["flows"][0]["bytes_up"] += row["bytes_down"]
    (finding,) = detect(made)
    assert {reason.feature: reason.value for reason in finding.reasons}["bridge_correlation"] is None
