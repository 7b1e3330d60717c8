"""AN1793 on telemetry made by hand: implants found, people left alone, and every piece of missing telemetry named."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from detector.analytics.command_polling import command_polling
from detector.baseline import learn
from detector.signature import Signature
from detector.thresholds import load_thresholds

LIMITS = load_thresholds().polling
BY = Signature("builtin", "test", partial=False)
C2 = {"uid": 10_001, "package": "com.example.torch", "name": "cdn.update.example", "app_proto": "tls"}


def detect(made):
    return list(command_polling(made.telemetry(), LIMITS, BY))


def alerts(made):
    return [finding for finding in detect(made) if finding.alert]


def reasons(finding):
    return {reason.feature: reason for reason in finding.reasons}


def sleeps(rng, period, jitter, span=86_000):
    return np.cumsum(period * (1 - jitter * rng.random(int(2 * span / period))))[: int(span / period)]


def office_day(made):
    for hour in range(24):
        made.state(hour * 3600, locked=True)
        if 8 <= hour < 22:
            made.state(hour * 3600 + 1200, locked=False, foreground=10_050)
            made.state(hour * 3600 + 2000, locked=True)


@pytest.mark.parametrize("period", [5, 60, 900, 3600])
@pytest.mark.parametrize("jitter", [0, 0.3])
def test_a_poller_is_found_with_its_period(made, rng, period, jitter):
    made.polls(sleeps(rng, period, jitter), **C2)
    (finding,) = alerts(made)
    period_s = reasons(finding)["period_s"]
    assert finding.peer == "cdn.update.example"
    assert period_s.value == pytest.approx(period * (1 - jitter / 2), rel=0.1)
    assert "contacts with cdn.update.example (198.18.0.9)" in period_s.text
    assert finding.first_seen <= finding.decided_at <= finding.last_seen


def test_heavy_jitter_needs_device_state(made, rng):
    made.polls(sleeps(rng, 300, 0.9), **C2)
    assert alerts(made) == []
    office_day(made)
    assert len(alerts(made)) == 1


def test_the_decision_comes_after_some_contacts_not_at_the_end(made, rng):
    made.polls(sleeps(rng, 300, 0), **C2)
    (finding,) = alerts(made)
    contacts = finding.decided_at / 300e6
    assert 6 <= contacts <= 20


def cut(made):
    """The alerts of a telemetry that ends with its last flow."""
    telemetry = made.telemetry()
    return [
        one
        for one in command_polling(replace(telemetry, span=(0, made.rows["flows"][-1]["start"])), LIMITS, BY)
        if one.alert
    ]


@pytest.mark.parametrize("jitter", [0, 0.3, 0.5])
@pytest.mark.parametrize("period", [20, 300, 1800])
def test_the_decision_holds_on_what_was_seen_by_then(made, rng, period, jitter):
    office_day(made)
    made.polls(sleeps(rng, period, jitter), **C2)
    (finding,) = alerts(made)
    made.rows["flows"] = [row for row in made.rows["flows"] if row["start"] <= finding.decided_at]
    made.rows["device_state"] = [row for row in made.rows["device_state"] if row["time"] <= finding.decided_at]
    assert len(cut(made)) == 1
    made.rows["flows"].pop()
    assert cut(made) == []


def test_contacts_at_random_moments_score_lower(made, rng):
    """Control: the same number of the same contacts, at moments drawn evenly over the day."""
    made.polls(sleeps(rng, 300, 0.1), **C2)
    (regular,) = alerts(made)
    made.rows.clear()
    made.polls(np.sort(rng.uniform(0, 86_000, 286)), **C2)
    assert alerts(made) == []
    assert all(finding.score < regular.score - 0.3 for finding in detect(made))


def test_browsing_does_not_alert(made, rng):
    for session in rng.uniform(30_000, 80_000, 12):
        for time in session + np.cumsum(rng.lognormal(2.5, 1.3, 25)):
            made.flow(
                time,
                up=int(rng.integers(500, 3000)),
                down=int(rng.lognormal(9.5, 1.5)),
                uid=10_002,
                name="news.example",
            )
    assert alerts(made) == []
    office_day(made)
    assert alerts(made) == []


def test_what_is_missing_is_unknown_and_keeps_its_weight_out(made, rng):
    made.span_s = 1200
    made.polls(sleeps(rng, 20, 0, 1100), server="198.18.0.9")
    (finding,) = alerts(made)
    found = reasons(finding)
    unknown = {name for name, reason in found.items() if reason.value is None}
    assert unknown >= {
        "background_use",
        "hour_coverage",
        "role_baseline",
        "prevalence",
        "name_anomaly",
        "protocol_role",
    }
    assert found["background_use"].weight == 0
    assert found["interval_regularity"].weight > LIMITS.product_weights["interval_regularity"]
    assert finding.severity in ("low", "medium")
    assert finding.score > 0.85


def test_the_polls_inside_one_websocket_are_contacts(made, rng):
    flow = made.flow(0, lasts_s=80_000, up=0, down=0, **C2)
    for time in sleeps(rng, 60, 0.2, 79_000):
        made.exchange(flow, time, 120, 90)
    (finding,) = alerts(made)
    assert reasons(finding)["contacts"].value > 1000
    del made.rows["exchanges"]
    assert detect(made) == []


def test_unanswered_attempts_are_contacts_too(made, rng):
    made.polls(sleeps(rng, 12, 0.3, 2800), up=0, down=0, established=False)
    (finding,) = alerts(made)
    assert reasons(finding)["size_constancy"].value is None


@pytest.mark.parametrize(
    "where",
    [
        {"server": "255.255.255.255", "proto": "udp"},
        {"server": "224.0.0.251", "proto": "udp"},
        {"server": "10.88.0.255", "proto": "udp"},
        {"server": "ff02::1"},
        {"server": "127.0.0.1"},
        {"proto": "udp", "server_port": 123},
        {"proto": "icmp"},
        {"inbound": True},
    ],
)
def test_discovery_and_housekeeping_are_nobodys_command(made, rng, where):
    made.polls(sleeps(rng, 60, 0), **where)
    assert detect(made) == []


def test_dns_polling_is_found_beside_the_resolver(made, rng):
    for k, time in enumerate(sleeps(rng, 60, 0.3)):
        made.lookup(time, f"{k:032x}.{k:020x}.zone.example", qtype="TXT", uid=1051)
    (finding,) = alerts(made)
    assert finding.peer == "zone.example"
    assert reasons(finding)["dns_tunnel"].value == 1
    assert "198.18.0.53" in reasons(finding)["period_s"].text


def test_a_look_up_that_a_connection_follows_is_part_of_it(made, rng):
    for time in sleeps(rng, 300, 0):
        made.lookup(time, "cdn.update.example", answers=("198.18.0.9",), uid=1051)
        made.flow(time + 0.1, **{**C2, "name": None})
    assert [finding.uid for finding in alerts(made)] == [10_001]


@pytest.mark.parametrize("excuse", ["sanctioned", "role", "destination"])
def test_what_is_allowed_stays_informational(made, rng, excuse):
    made.lookup(1, "mtalk.google.com", answers=("198.18.0.9",), uid=1051)
    made.polls(sleeps(rng, 300, 0), **{**C2, "name": "mtalk.google.com" if excuse == "destination" else "a.example"})
    roles = ("remote_access",) if excuse == "role" else ()
    made.app(10_001, "com.example.torch", "tools", sanctioned=excuse == "sanctioned", roles=roles)
    (finding,) = detect(made)
    assert not finding.alert
    assert finding.severity == "informational"
    assert 0 < finding.score < LIMITS.threshold, "ranked below every alert, told all the same"
    assert "allowed" in reasons(finding)


def test_a_category_that_explains_polling_is_relieved_unless_something_is_odd(made, rng):
    office_day(made)
    made.polls(sleeps(rng, 900, 0.2), **C2)
    made.app(10_001, "com.example.torch", "weather")
    assert alerts(made) == []
    for row in made.rows["flows"]:
        row["app_proto"] = "imap"
    (finding,) = alerts(made)
    assert reasons(finding)["protocol_role"].value == 1
    made.rows["packages"][0]["category"] = "mail"
    assert alerts(made) == []


def learned(made):
    """What a past of the same phone and app teaches, without the destination under judgement, nor one as busy."""
    past = type(made)()
    past.polls(12_000.0 * np.arange(8), uid=10_001, package="com.example.torch", name="www.torch.example")
    return learn(past.telemetry())


def test_high_severity_takes_state_a_deviation_and_a_learned_baseline(made, rng):
    office_day(made)
    made.polls(sleeps(rng, 300, 0.1), **C2)
    made.app(10_001, "com.example.torch", "photography")
    (unlearned,) = alerts(made)
    (known,) = command_polling(replace(made.telemetry(), baseline=learned(made)), LIMITS, BY)
    assert (unlearned.severity, known.severity) == ("medium", "high")
    assert "severity is lowered" in reasons(unlearned)["baseline_gate"].text
    assert "nobody did before" in reasons(known)["baseline_gate"].text
    made.rows.pop("device_state")
    (stateless,) = command_polling(replace(made.telemetry(), baseline=learned(made)), LIMITS, BY)
    assert stateless.severity == "medium"


def test_what_the_app_always_did_is_no_deviation(made, rng):
    made.polls(sleeps(rng, 300, 0.1), **C2)
    days = type(made)()
    days.span_s = 6 * 86_400
    days.polls(300.0 * np.arange(6 * 288), **C2)
    days.flow(5, **{**C2, "device": "phone-02"})
    usual = replace(made.telemetry(), baseline=learn(days.telemetry()))
    assert [finding for finding in command_polling(usual, LIMITS, BY) if finding.alert] == []
    assert len([one for one in command_polling(replace(usual, baseline=learned(made)), LIMITS, BY) if one.alert]) == 1


def test_names_that_rotate_are_found_by_the_second_key(made, rng):
    for k, time in enumerate(sleeps(rng, 300, 0.2)):
        made.flow(time, **{**C2, "name": f"{k:x}q.{k:x}zzkq.example", "server": f"198.18.7.{k % 250}"})
    assert detect(made) == [], "each name by itself is seen once, and alone nobody can say which are rare"
    seen = replace(made.telemetry(), baseline=learned(made))
    (finding,) = [one for one in command_polling(seen, LIMITS, BY) if one.alert]
    assert "destinations such as" in reasons(finding)["period_s"].text
    assert reasons(finding)["contacts"].value > 250


def test_the_second_key_does_not_repeat_what_the_first_tells(made, rng):
    for k in range(3):
        made.polls(k * 25_000 + sleeps(rng, 60, 0.2, 20_000), **{**C2, "name": f"day{k}.made{k}.example"})
    seen = replace(made.telemetry(), baseline=learned(made))
    found = [one for one in command_polling(seen, LIMITS, BY) if one.alert]
    assert sorted(one.peer for one in found) == [f"day{k}.made{k}.example" for k in range(3)]


def test_what_a_list_excuses_hides_no_group_of_rare_destinations(made, rng):
    for k in range(3):
        made.polls(k * 25_000 + sleeps(rng, 60, 0.2, 20_000), **{**C2, "name": f"day{k}.made{k}.example"})
        made.lookup(k, f"day{k}.made{k}.example", answers=(f"198.18.0.{9 if k < 2 else 8}",), device="phone-02")
    seen = replace(made.telemetry(), baseline=learned(made))
    listed = replace(LIMITS, allowed_destination_list=frozenset({"made0.example", "made1.example"}))
    kinds = [
        sorted("such as" in reasons(one)["period_s"].text for one in command_polling(seen, limits, BY))
        for limits in (LIMITS, listed)
    ]
    assert kinds == [[False] * 3, [False] * 3 + [True]]


def test_a_destination_every_device_contacts_scores_lower(made, rng):
    made.polls(sleeps(rng, 300, 0), name="push.example")
    (alone,) = alerts(made)
    for k in range(2, 200):
        made.flow(k, name="push.example", device=f"phone-{k:02d}")
    shared = [finding.score for finding in detect(made) if finding.device == "phone-01"]
    assert max([0.0, *shared]) < alone.score * 0.6


def test_an_address_nobody_looked_up_is_an_anomaly(made, rng):
    made.lookup(5, "www.site.example", answers=("198.18.0.7",))
    made.flow(6, server="198.18.0.7", name="www.site.example", sni="www.site.example", app_proto="tls")
    made.polls(sleeps(rng, 300, 0), app_proto="tls")
    (finding,) = alerts(made)
    assert finding.peer == "198.18.0.9"
    assert reasons(finding)["name_anomaly"].value == 0.7


def test_a_fronted_name_is_an_anomaly(made, rng):
    made.lookup(5, "hidden.bad.example", answers=("198.18.0.9",))
    made.polls(sleeps(rng, 300, 0), **{**C2, "sni": C2["name"]})
    (finding,) = alerts(made)
    assert reasons(finding)["name_anomaly"].value == 0.9


def test_the_same_telemetry_gives_the_same_findings(made, rng):
    office_day(made)
    for k in range(5):
        made.polls(sleeps(rng, 300 + k, 0.3), **{**C2, "uid": 10_000 + k, "name": f"a.site{k}.example"})
    assert detect(made) == detect(made)
    assert len(detect(made)) == 5
