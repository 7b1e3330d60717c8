"""An app held against its own past: what it always did is told and no alert, what it turns to no role excuses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from detector.analytics.traffic_relay import traffic_relay
from detector.baseline import learn
from detector.signature import Signature
from detector.thresholds import load_thresholds

LIMITS = load_thresholds().relay
BY = Signature("builtin", "test", partial=False)
APP = {"uid": 10_007, "package": "com.example.torch"}


def relay(made, begin_s, **who):
    made.bridge(begin_s, **who)


def request(made, time_s, **who):
    caller = {"client": "10.88.0.77", "server": "10.88.0.2", "server_port": 1080, "inbound": True}
    said = {"proxy": "socks5", "proxy_server": "server", "proxy_granted": True, "proxy_target": "x.example:443"}
    made.flow(time_s, **caller, **said, **who)
    made.flow(time_s + 1, name="x.example", **who)


def quiet(made, begin_s, **who):
    made.polls(begin_s + 300.0 * np.arange(40), name="www.torch.example", **who)


def found(made, past, *, role=None, others=None, many=0, installed=False, sanctioned=False):
    """The finding about an app that relays on a day: of it, and of ``many`` other devices with it, the past is learned."""
    days = type(made)()
    if past is not None:
        past(days, 30, **APP)
    for k in range(many):
        others(days, 30 + k, device=f"phone-{k + 10}", **APP)
    if installed:
        days.app(10_007, APP["package"], "tools")
        days.polls([10.0], uid=10_008, package="news", name="news.example")
    if role or sanctioned:
        made.app(10_007, APP["package"], "tools", roles=(role,) if role else (), sanctioned=sanctioned)
    (finding,) = traffic_relay(replace(made.telemetry(), baseline=learn(days.telemetry())), LIMITS, BY)
    return finding


@pytest.mark.parametrize("act", [relay, request])
def test_a_relay_by_nature_is_told_and_no_alert(made, act):
    """Its nature is what others do who have it."""
    act(made, 60, **APP)
    known = found(made, act, others=act, many=20)
    assert not known.alert
    assert known.score >= LIMITS.near_miss * LIMITS.threshold
    assert found(made, quiet, others=quiet, many=20).alert, "control: an app that did something else"


@pytest.mark.parametrize("others", [None, quiet])
def test_a_relay_that_was_there_while_it_was_learned_does_not_excuse_itself(made, others):
    """Poisoned learning lowers, and does not blind; what twenty others do not do is no nature of the app."""
    request(made, 60, **APP)
    poisoned, clean = (found(made, past, others=others, many=20 if others else 0) for past in (request, quiet))
    assert poisoned.alert
    assert LIMITS.threshold <= poisoned.score < clean.score * 0.6
    assert (poisoned.severity, clean.severity) == ("medium", "high")


def test_a_bridge_that_was_there_is_lowered_as_far_and_no_further(made):
    relay(made, 60, **APP)
    poisoned, clean = (found(made, past).score for past in (relay, quiet))
    assert 0.5 * clean < poisoned < 0.8 * clean
    one, many = (found(made, relay, others=relay, many=n).score for n in (1, 20))
    assert many < one < poisoned, "one other is not the fleet"


@pytest.mark.parametrize("act", [relay, request])
def test_installed_is_not_having_relayed(made, act):
    """An app that was silent, to whose places others of the fleet go, is as new a relay as one that spoke of else."""
    act(made, 60, **APP)
    told = {reason.feature: reason.value for reason in found(made, None, installed=True).reasons}
    silent = found(made, None, installed=True)
    assert silent.score == pytest.approx(found(made, quiet).score, rel=0.02)
    assert silent.alert
    assert act is request or told["anew"] == 1
    assert found(made, None, role="relay", installed=True).severity == "informational", "nor has it turned to it"


@pytest.mark.parametrize("act", [relay, request])
@pytest.mark.parametrize("role", ["relay", "proxy"])
def test_no_role_excuses_what_an_app_turns_to(made, act, role):
    act(made, 60, **APP)
    assert found(made, quiet, role=role).alert
    assert found(made, act, role=role).severity == "informational", "control: it always did"


def test_of_an_app_nobody_had_the_role_is_asked(made):
    relay(made, 60, **APP)
    assert found(made, None).alert
    assert found(made, None, role="relay").severity == "informational"


def test_a_list_of_the_administrator_covers_all(made):
    relay(made, 60, **APP)
    made.app(10_007, APP["package"], "tools")
    listed = replace(LIMITS, allowed_app_list=frozenset({APP["package"]}))
    days = type(made)()
    quiet(days, 30, **APP)
    (finding,) = traffic_relay(replace(made.telemetry(), baseline=learn(days.telemetry())), listed, BY)
    assert not finding.alert


def test_the_finding_says_what_the_past_was(made):
    relay(made, 60, **APP)
    told = {reason.feature: reason for reason in found(made, quiet).reasons}
    assert told["anew"].value == 1
    assert "0.00 of 1 then" in told["anew"].text
    assert found(made, quiet).severity == "medium", "new, and nobody knows whether anybody used it"


def test_an_approval_covers_the_only_honest_relay_that_was_there_and_nothing_new(made):
    request(made, 60, **APP)
    known = found(made, request, sanctioned=True)
    assert (known.alert, known.severity) == (False, "informational")
    assert known.score < LIMITS.threshold
    made.rows.pop("packages")
    assert found(made, request).alert, "control: nobody approved"
    assert found(made, quiet, sanctioned=True).alert, "control: it did something else"
    made.rows.pop("packages")
    assert found(made, None, sanctioned=True).alert, "control: nothing is known of it"
