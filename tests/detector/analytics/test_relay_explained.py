"""What became of a relay in AN1702, by the same columns and scores as the findings."""

from __future__ import annotations

import numpy as np
import pytest

from detector.analytics.relay_explained import changeable, relay_groups
from detector.contract import Telemetry, detector
from detector.explanation import About, witnessed
from detector.thresholds import load_thresholds

LIMITS = load_thresholds().relay
APP = {"uid": 10_007, "package": "com.example.torch"}
ABOUT = About("AN1702", ("phone-01",), 10_007, "com.example.torch", (), 0, 86_400_000_000)


def explained(telemetry):
    return relay_groups(telemetry, LIMITS).explain(ABOUT, witnessed(telemetry, ABOUT))


def bridge(made, rng, *, streams=60, targets=30, apart_s=0.3):
    """A gateway's requests arrive in a tunnel, leave for targets ``apart_s`` later, and the answers return by it."""
    tunnel = made.flow(60, lasts_s=1830, server="198.18.9.9", name="gw.cloud.example", **APP)
    for start in np.sort(60 + rng.uniform(0, 1800, streams)):
        up, down = int(rng.integers(400, 2000)), int(rng.integers(2000, 90_000))
        made.exchange(tunnel, start, up=0, down=up, delay_s=0.01)
        values = {"server": f"198.18.1.{int(start) % targets}", "name": f"site{int(start) % targets}.example"}
        flow = made.flow(start + apart_s, lasts_s=1.0, up=up, down=down, **values, **APP)
        made.exchange(flow, start + apart_s, up, down)
        made.exchange(tunnel, start + 2 * apart_s, up=down, down=0)
    for row in made.rows["flows"]:
        said = [one for one in made.rows["exchanges"] if one["flow"] == row["flow"]]
        row |= {side: sum(one[side] for one in said) for side in ("bytes_up", "bytes_down")}
    return made.telemetry()


def found_by(telemetry):
    return [one for one in detector("builtin").detect(telemetry) if one.analytic == "AN1702"]


def test_an_alert_is_explained_with_the_findings_score(made, rng):
    telemetry = bridge(made, rng)
    (finding,) = found_by(telemetry)
    found = detector("builtin").explain(telemetry, ABOUT)
    assert (found.outcome, found.counterfactual, found.together) == ("alert", None, ())
    assert found.score == pytest.approx(finding.score, abs=1e-6)


def test_a_miss_is_explained_and_the_change_fires(made, rng):
    telemetry = bridge(made, rng, targets=1)
    assert not any(one.alert for one in found_by(telemetry))
    found = explained(telemetry)
    assert found.outcome == "below"
    changes = [found.counterfactual] if found.counterfactual else list(found.together)
    assert "destinations" in {change.factor for change in changes}
    values = {one.name: np.nan if one.value is None else one.value for one in found.factors}
    values |= {change.factor: change.after for change in changes}
    groups = relay_groups(telemetry, LIMITS)
    assert groups.scores({name: np.full(2, value) for name, value in values.items()})[0] >= LIMITS.threshold - 1e-9


def test_a_request_that_was_granted_explains_itself(made):
    proxied = {"proxy": "socks5", "proxy_server": "server", "proxy_granted": True, "proxy_target": "site.example:443"}
    made.flow(5.0, inbound=True, client="198.18.7.7", server="10.88.0.2", server_port=1080, **proxied, **APP)
    telemetry = made.telemetry()
    (finding,) = found_by(telemetry)
    found = explained(telemetry)
    assert (finding.alert, found.outcome) == (True, "alert")
    assert found.score == pytest.approx(finding.score)
    assert {one.name: one.value for one in found.factors}["request"] == pytest.approx(LIMITS.handshake_score)


def test_a_role_that_explains_it_excuses(made, rng):
    telemetry = bridge(made, rng)
    made.app(10_007, "com.example.torch", "tools", roles=("relay",))
    telemetry = made.telemetry()
    assert not any(one.alert for one in found_by(telemetry))
    assert explained(telemetry).outcome == "excused"


@pytest.mark.parametrize(("count", "outcome"), [(0, "unseen"), (1, "too-few"), (9, "not-grouped")])
def test_where_no_window_is_judged_it_says_why(made, count, outcome):
    made.polls(60.0 * np.arange(9), uid=10_002, package="com.example.news")
    made.polls(60.0 * np.arange(count), **APP)
    found = explained(made.telemetry())
    assert (found.outcome, found.score) == (outcome, None)


def test_what_may_change_is_in_the_columns(made, rng):
    groups = relay_groups(bridge(made, rng), LIMITS)
    assert set(changeable(LIMITS)) <= set(groups.columns)


def test_without_flows_it_is_not_judged():
    assert detector("builtin").explain(Telemetry({}, span=(0, 1)), ABOUT) is None
