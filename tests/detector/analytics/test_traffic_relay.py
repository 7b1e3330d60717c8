"""AN1702 on telemetry made by hand: relays of both kinds, and the benign shapes that share one trait with them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from detector.analytics.relay_decided import moments, of_app
from detector.analytics.traffic_relay import traffic_relay
from detector.baseline import Deviation
from detector.learned.relayed import unheard
from detector.signature import Signature
from detector.thresholds import load_thresholds
from detector.until import until

LIMITS = load_thresholds().relay
BY = Signature("builtin", "test", partial=False)
APP = {"uid": 10_007, "package": "com.example.torch"}


def whole(made):
    """Flows carry at least what their exchanges do."""
    for row in made.rows["flows"]:
        said = [one for one in made.rows.get("exchanges", ()) if one["flow"] == row["flow"]]
        for side in ("bytes_up", "bytes_down"):
            row[side] = max(row[side], sum(one[side] for one in said))
    return made.telemetry()


def detect(made):
    return list(traffic_relay(whole(made), LIMITS, BY))


def tunnel_relay(made, rng, *, minutes=30, streams=60, stacks=8, targets=30, delay_s=0.3, padding=1.0, who=APP):
    """A gateway's requests arrive in one long tunnel, go out to targets, and the answers return by the tunnel."""
    tunnel = made.flow(60, lasts_s=minutes * 60 + 30, server="198.18.9.9", name="gw.cloud.example", **who)
    for start in np.sort(60 + rng.uniform(0, minutes * 60, streams)):
        up, down = int(rng.integers(400, 2000)), int(rng.integers(2000, 90_000))
        made.exchange(tunnel, start, up=0, down=int(up * padding), delay_s=0.01)
        target = int(rng.integers(targets))
        values = {"server": f"198.18.1.{target}", "name": f"site{target}.example", "ja4": f"t13d{target % stacks}"}
        flow = made.flow(start + delay_s, lasts_s=1.0, up=up, down=down, **values, **who)
        made.exchange(flow, start + delay_s, up, down)
        made.exchange(tunnel, start + 2 * delay_s, up=int(down * padding), down=0)


def rare_relay(made, rng):
    """Six streams an hour, for twelve hours."""
    tunnel_relay(made, rng, minutes=720, streams=72)


def listener_relay(made, rng, *, who=APP):
    """Clients of the LAN open sessions to the phone; each is followed by an outbound one with the same bytes."""
    for start in np.sort(rng.uniform(60, 1700, 50)):
        up, down, target = int(rng.integers(400, 2000)), int(rng.integers(2000, 90_000)), int(rng.integers(20))
        caller = {"client": "10.88.0.77", "server": "10.88.0.2", "server_port": 1080, "inbound": True}
        made.exchange(made.flow(start, up=up, down=down, lasts_s=2, **caller, **who), start, up, down, delay_s=1)
        values = {"server": f"198.18.1.{target}", "name": f"site{target}.example"}
        made.exchange(made.flow(start + 0.2, up=up, down=down, **values, **who), start + 0.2, up, down)


@pytest.mark.parametrize(
    "shape", [{}, {"padding": 2.0}, {"padding": 0.5}, {"delay_s": 1.0}, {"delay_s": 10.0}, {"stacks": 3}]
)
def test_a_tunnel_relay_alerts_with_its_factors(made, rng, shape):
    tunnel_relay(made, rng, **shape)
    (finding,) = detect(made)
    assert finding.alert
    assert (finding.device, finding.package, finding.peer) == ("phone-01", APP["package"], None)
    reasons = {reason.feature: reason.value for reason in finding.reasons}
    assert reasons["byte_conservation"] > 0.6
    assert reasons["pairing_lift"] > 0.6
    assert reasons["unattended_share"] is None
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


class Learned:
    """A baseline of a fixed answer: how many days the app itself went there, and how many others do."""

    def __init__(self, own_days):
        self.own_days = own_days

    def deviation(self, asked):
        unknown = np.full(len(asked.destination.code), np.nan)
        return Deviation(np.full(len(unknown), self.own_days), *[unknown] * 5)

    def relayed(self, device, _package):
        return unheard(len(device.code))


def with_baseline(made, own_days):
    limits = replace(LIMITS, near_miss=0.0)
    return next(traffic_relay(replace(whole(made), baseline=Learned(own_days)), limits, BY))


def test_background_use_and_novelty_raise_severity_and_no_baseline_lowers_it(made, rng):
    tunnel_relay(made, rng)
    (unseen,) = detect(made)
    made.state(0, locked=True)
    (hidden,) = detect(made)
    new = with_baseline(made, 0.0)
    assert [one.alert for one in (unseen, hidden, new)] == [True] * 3
    assert [one.severity for one in (unseen, hidden, new)] == ["low", "medium", "high"]
    assert any(reason.feature == "baseline" for reason in hidden.reasons)
    assert not any(reason.feature == "baseline" for reason in new.reasons)


def test_destinations_the_app_always_went_to_score_less_and_not_nothing(made, rng):
    tunnel_relay(made, rng)
    (unlearned,), known = detect(made), with_baseline(made, 3.0)
    assert unlearned.score / 4 < known.score < unlearned.score * 0.6
    assert 0.35 < {reason.feature: reason.value for reason in known.reasons}["novelty"] < 0.5


def test_relaying_in_the_foreground_scores_less_than_unknown_and_that_less_than_in_the_background(made, rng):
    tunnel_relay(made, rng)
    (blind,) = detect(made)
    for minute in range(60):
        made.state(minute * 60, locked=False, foreground=APP["uid"])
    (seen,) = detect(made)
    made.rows["device_state"].clear()
    made.state(0, locked=True)
    (hidden,) = detect(made)
    assert seen.score < blind.score < hidden.score
    values = {reason.feature: reason.value for reason in hidden.reasons}
    share = LIMITS.attended_floor + (1 - LIMITS.attended_floor) * values["unattended_share"]
    assert seen.score == pytest.approx(hidden.score * LIMITS.attended_floor / share, rel=0.01)


@pytest.mark.parametrize(("role", "allowed"), [("relay", True), ("casting", False), ("tethering", False)])
def test_a_role_excuses_what_it_explains(made, rng, role, allowed):
    tunnel_relay(made, rng)
    made.app(10_007, "com.example.torch", "tools", roles=(role,))
    (finding,) = detect(made)
    assert finding.alert is not allowed
    assert (finding.severity == "informational") is allowed
    assert (finding.reasons[-1].feature == "allowed") is allowed


@pytest.mark.parametrize(
    ("role", "caller", "allowed"),
    [
        ("proxy", "10.88.0.77", True),
        ("relay", "203.0.113.7", True),
        ("tethering", "10.88.0.77", True),
        ("tethering", "203.0.113.7", False),
        ("casting", "10.88.0.77", False),
        ("browser", "10.88.0.77", False),
    ],
)
def test_a_granted_request_that_a_role_explains_is_told_low(made, role, caller, allowed):
    """A corporate proxy grants requests all day: below the threshold, and among what is worth a look."""
    for k in range(6):
        asked = {"client": caller, "server": "10.88.0.2", "server_port": 3128, "inbound": True}
        said = {
            "proxy": "connect",
            "proxy_server": "server",
            "proxy_granted": True,
            "proxy_target": f"s{k}.example:443",
        }
        made.flow(60 * k, **asked, **said, **APP)
        made.flow(60 * k + 1, name=f"s{k}.example", **APP)
    made.app(10_007, APP["package"], "tools", roles=(role,))
    (finding,) = detect(made)
    assert finding.alert is not allowed
    assert finding.severity == ("informational" if allowed else "high")
    assert (finding.score < LIMITS.threshold) is allowed
    assert finding.score >= LIMITS.near_miss * LIMITS.threshold


def test_a_vpn_may_go_where_the_apps_of_its_device_go_and_nowhere_else(made, rng):
    tunnel_relay(made, rng)
    made.app(10_007, "com.example.torch", "tools", roles=("vpn",))
    (strangers,) = detect(made)
    assert strangers.alert
    for target in range(30):
        made.flow(40 + target, name=f"site{target}.example", uid=10_020, package="com.example.browser")
    (own,) = detect(made)
    assert not own.alert
    assert own.severity == "informational"


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


@pytest.mark.parametrize("shape", [tunnel_relay, listener_relay, rare_relay])
def test_what_was_known_when_it_was_decided_suffices_and_one_contact_less_does_not(made, rng, shape):
    shape(made, rng)
    telemetry = whole(made)
    (finding,) = traffic_relay(telemetry, LIMITS, BY)
    assert finding.alert
    (then,) = traffic_relay(until(telemetry, finding.decided_at), LIMITS, BY)
    assert then.alert
    times = moments(of_app(telemetry, ("phone-01", APP["uid"], APP["package"])))
    before = int(times[np.searchsorted(times, finding.decided_at) - 1])
    assert not any(one.alert for one in traffic_relay(until(telemetry, before), LIMITS, BY))


def test_rare_streams_add_up_over_hours(made, rng):
    rare_relay(made, rng)
    (finding,) = detect(made)
    assert finding.alert
    assert finding.decided_at > 1_800_000_000, "half an hour holds three streams"


def test_without_exchanges_correlation_is_unknown(made, rng):
    tunnel_relay(made, rng)
    del made.rows["exchanges"]
    for row in made.rows["flows"][1:]:
        made.rows["flows"][0]["bytes_down"] += row["bytes_up"]
        made.rows["flows"][0]["bytes_up"] += row["bytes_down"]
    (finding,) = detect(made)
    assert {reason.feature: reason.value for reason in finding.reasons}["bridge_correlation"] is None
