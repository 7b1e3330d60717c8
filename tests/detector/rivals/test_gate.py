"""The gate that any rival can wear: whose it is, what it weighs, and when it is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from detector.baseline import learn
from detector.columns import NULL, Codes
from detector.contract import detector, view
from detector.rivals.gate import Gate, gate_word
from detector.rivals.pairs import Who, by_name, host_pairs, process_pairs
from detector.rivals.verdicts import Bar, Rated, Weights, decide

APP = {"uid": 10_001, "package": "com.example.torch"}
COMMON = {"name": "cdn.example", "sni": "cdn.example", "server": "198.18.0.1"}
ODD = {"name": "c2.example", "sni": "c2.example", "server": "198.18.0.2"}
POLLING = ("rita", "rita:modifiers", "elastic", "elastic:jitter=0.4", "sentinel", "baywatch", "timing-only")
DAY = 86_400.0


def fleet(made, days=1):
    """Four phones whose app asks the same host every minute; the first one's asks another one, too."""
    made.span_s = days * DAY
    for number in range(1, 5):
        made.polls(np.arange(0, days * DAY, 60.0), device=f"phone-{number:02}", **APP, **COMMON)
    made.polls(np.arange(20.0, days * DAY, 60.0), **APP, **ODD)
    return made.telemetry()


def before(made):
    """What was learned of them the day before, when nobody asked the other one."""
    for number in range(1, 5):
        made.polls(np.arange(0, DAY, 3600.0), device=f"phone-{number:02}", **APP, **COMMON)
    learned = learn(made.telemetry())
    made.rows.clear()
    return learned


def with_gate(name):
    return f"{name},gate" if ":" in name else f"{name}:gate"


def scores(name, telemetry):
    return {(one.device, one.peer): one.score for one in detector(name).detect(telemetry) if one.analytic == "AN1793"}


def test_the_word_stands_last():
    assert gate_word("") == ("", False)
    assert gate_word("jitter=0.4,gate") == ("jitter=0.4", True)
    assert gate_word("gate,gate") == ("gate", True)


def test_a_group_of_one_destination_has_its_gate(made):
    seen = replace(fleet(made), baseline=None)
    pairs = host_pairs(seen, by_name)
    weights = Gate(seen, wanted=True).of_rows(pairs.group, pairs.row, len(pairs.who))
    told = {pairs.who.peer.text(k): weights.value[k] for k in range(len(pairs.who)) if pairs.who.device.code[k] == 0}
    assert told["cdn.example"] < 0.01 < 0.3 < told["c2.example"] < 1
    assert weights.since == seen.span[1]


def test_a_group_of_several_has_their_mean_by_connections(made):
    seen = fleet(made)
    pairs = process_pairs(seen)
    weights = Gate(seen, wanted=True).of_rows(pairs.group, pairs.row, len(pairs.who))
    names = host_pairs(seen, by_name)
    alone = Gate(seen, wanted=True).of_rows(names.group, names.row, len(names.who)).value
    mine = [k for k in range(len(names.who)) if names.who.device.text(k) == "phone-01"]
    (row,) = (k for k in range(len(pairs.who)) if pairs.who.device.text(k) == "phone-01")
    assert weights.value[row] == pytest.approx(alone[mine].mean())  # as many connections to each
    apps = Gate(seen, wanted=True).of_apps(np.array([1440, 0]))  # a row of the second phone's, one of the first's
    assert apps.value.tolist() == [pytest.approx(0.0), pytest.approx(weights.value[row])]


def test_who_only_answers_keeps_the_rivals_word(made):
    made.flow(1.0, inbound=True, client="198.18.7.7", server="10.88.0.2", **APP)
    assert Gate(made.telemetry(), wanted=True).of_apps(np.array([0])).value.tolist() == [1.0]


def test_look_ups_have_the_gate_of_their_domain(made):
    for number in range(1, 5):
        made.lookup(1.0, "www.cdn.example", device=f"phone-{number:02}")
    made.lookup(2.0, "x.c2.example", device="phone-01")
    seen = made.telemetry()
    who = Codes(np.array([0, 0]), ["phone-01"])
    peer = Codes(np.array([0, 1]), ["cdn.example", "c2.example"])
    nobody = Codes(np.full(2, NULL), [])
    gate = Gate(seen, wanted=True)
    common, odd = gate.of_lookups(Who(who, nobody.code, nobody, peer)).value
    assert common < 0.01 < 0.3 < odd
    assert gate.of_each(who, nobody, peer).value.tolist() == [common, odd]


def test_a_tunnel_in_look_ups_wears_the_gate_too(made):
    for client, domain in [*((f"10.88.0.{k}", "cdn.example") for k in range(1, 5)), ("10.88.0.1", "c2.example")]:
        for k in range(400):
            made.lookup(60.0 * k, f"{k:040x}.{domain}", qtype="TXT")
            made.rows["dns"][-1]["client"] = client
    narrowed = view("dns-only")(made.telemetry())
    plain, gated = (scores(name, narrowed) for name in ("rita:modifiers", "rita:modifiers,gate"))
    assert set(plain) == {(f"10.88.0.{k}", "cdn.example") for k in range(1, 5)} | {("10.88.0.1", "c2.example")}
    assert set(gated) == {("10.88.0.1", "c2.example")}


def test_where_it_is_not_wanted_nothing_changes(made):
    seen = fleet(made)
    gate = Gate(seen, wanted=False)
    plain = Weights()
    one = np.zeros(1, np.int64)
    nobody = Codes(one, ["x"])
    assert gate.of_rows(one, one, 1) == gate.of_apps(one) == gate.of_each(nobody, nobody, nobody) == plain
    rated = Rated(one, np.array([0.6]), one, one, one)
    assert plain.weighed(rated, Bar(1.0, 1.0)) is rated
    assert plain.reasons(0) == ()


def test_it_hides_no_group_and_adds_none():
    zeros = np.zeros(3, np.int64)
    rated = Rated(np.arange(3), np.array([0.9, 0.9, 0.2]), zeros, zeros, zeros)
    bar = Bar(0.7, 1.0)
    weights = Weights(np.array([0.1, 0.0, 1.0]), since=5)
    found = decide(weights.weighed(rated, bar), bar, weights.near)
    assert [(one.owner, one.alert, one.decided) for one in found] == [(0, False, 5)]
    assert found[0].score == pytest.approx(0.09)


@pytest.mark.parametrize("name", POLLING)
def test_every_rival_of_polling_ranks_the_odd_destination_first(made, name):
    """Control: without the gate it holds both for the same, or, where it groups by app, knows only the app."""
    learned = before(made)
    seen = replace(fleet(made), baseline=learned)
    plain, gated = scores(name, seen), scores(with_gate(name), seen)
    assert set(gated) <= set(plain)
    odd = max(score for (device, _), score in gated.items() if device == "phone-01")
    others = [score for (device, _), score in gated.items() if device != "phone-01"]
    assert odd > 10 * max(others, default=0.0)
    assert max(plain.values()) < 2 * min(plain.values())


@pytest.mark.parametrize("name", POLLING)
def test_the_gate_is_told_and_a_survey_decides_at_the_end(made, name):
    learned = before(made)
    seen = fleet(made)
    for baseline in (None, learned):
        found = [
            one
            for one in detector(with_gate(name)).detect(replace(seen, baseline=baseline))
            if one.analytic == "AN1793" and one.device == "phone-01"
        ]
        assert found
        for one in found:
            (why,) = (reason for reason in one.reasons if reason.feature == "baseline_gate")
            assert ("survey" in why.text) is (baseline is None)
            assert one.detector == with_gate(name)
            assert baseline is not None or one.decided_at >= seen.span[1]


@pytest.mark.parametrize("name", ["zhang-paxson", "symmetry-only"])
def test_a_relay_is_weighed_by_where_its_app_goes(made, name):
    def bridge(device, server):
        tunnel = made.flow(0, lasts_s=3500, device=device, server=server, up=0, down=0, **APP)
        for time in 20.0 * np.arange(1, 150):
            made.exchange(tunnel, time, up=3000, down=400, delay_s=0.01)
            flow = made.flow(time + 0.02, up=400, down=3000, device=device, server=server, **APP)
            made.exchange(flow, time + 0.02, 400, 3000, delay_s=0.1)

    made.span_s = 7200
    for number in range(2, 8):
        bridge(f"phone-{number:02}", "198.18.0.1")
    bridge("phone-01", "198.18.9.9")
    seen = made.telemetry()
    plain = {one.device: one.score for one in detector(name).detect(seen)}
    gated = {one.device: one.score for one in detector(f"{name}:gate").detect(seen)}
    assert len(plain) == 7
    assert len(set(plain.values())) == 1
    assert set(gated) == {"phone-01"}
    assert gated["phone-01"] < plain["phone-01"]


def test_rarity_knows_what_was_there_before(made):
    made.polls(np.arange(0, DAY, 3600.0), **APP, **ODD)
    known = learn(made.telemetry())
    made.rows.clear()
    learned = before(made)
    made.polls(np.arange(0, DAY, 60.0), **APP, **ODD)
    seen = made.telemetry()
    told = {
        name: scores("rarity-only", replace(seen, baseline=baseline)).get(("phone-01", "c2.example"), 0.0)
        for name, baseline in (("none", None), ("known", known), ("new", learned))
    }
    assert told == {"none": 0.5, "known": 0.5, "new": 1.0}


@pytest.mark.parametrize(
    "name", ["rita:gate,modifiers", "elastic:gate,jitter=0.4", "sentinel:,gate", "baywatch:gate,gate"]
)
def test_another_order_is_refused(name):
    with pytest.raises(LookupError, match="found the argument"):
        detector(name)
