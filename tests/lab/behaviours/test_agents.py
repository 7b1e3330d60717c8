"""Agents: each variant is reachable by settings, and shows on the plan what it is about."""

from __future__ import annotations

import numpy as np
import pytest

from lab.behaviours import (
    SECOND,
    chat_websocket,
    dns_poll,
    http_poll,
    long_poll,
    mail_check,
    mail_smtp,
    mqtt_poll,
    periodic_sync,
    push_poll,
    websocket_poll,
)
from lab.habits.clock import inside

HOUR = 3600 * SECOND
DAY = 24 * HOUR


def gaps_s(batch):
    return np.diff(np.sort(batch.start)) / SECOND


def options(batch, place=0):
    return dict(batch.speeches[place].options)


def reaches(batch):
    return [peer.reach for peer in batch.peers]


def poll(rng, window, **settings):
    return http_poll.Behaviour(**{"task_probability": 0.0, **settings}).plan(rng, window)


def test_m04_additive_jitter_only_lengthens(quiet, rng):
    gaps = gaps_s(poll(rng, quiet, period=60.0, law="additive", jitter=0.5))
    assert gaps.min() >= 60.0 - 1e-5
    assert gaps.max() <= 90.0 + 1e-5
    assert gaps.mean() == pytest.approx(75.0, rel=0.02)


def test_m05_a_quarter_of_an_hour_give_or_take_ninety_seconds(quiet, rng):
    gaps = gaps_s(poll(rng, quiet, period=900.0, law="uniform", jitter=0.1))
    assert gaps.min() >= 810.0
    assert gaps.max() <= 990.0


@pytest.mark.parametrize(("period", "contacts"), [(4 * 3600.0, 18), (24 * 3600.0, 3)])
def test_m06_low_and_slow_over_three_days(windows, rng, period, contacts):
    batch = poll(rng, windows(span=72 * HOUR), period=period, law="uniform", jitter=0.5)
    assert abs(batch.contacts - contacts) <= 3


def test_m09_lognormal_sleep_has_its_median(windows, rng):
    gaps = gaps_s(poll(rng, windows(span=30 * DAY), period=900.0, law="lognormal", sigma=1.0))
    assert np.median(gaps) == pytest.approx(900.0, rel=0.1)
    assert np.std(np.log(gaps)) == pytest.approx(1.0, rel=0.1)


def test_m10_to_m14_gates_hold_for_every_poller(worker, rng):
    agents = [(kind, {"task_probability": 0.0}) for kind in (http_poll, dns_poll, websocket_poll)]
    for kind, tasks in (*agents, (mail_check, {})):
        for gate in ({"gate": "unlocked"}, {"from_hour": 9.0, "until_hour": 17.5}, {}):
            batch = kind.Behaviour(period=300.0, **tasks, **gate).plan(rng, worker)
            assert batch.contacts > 10
            if "gate" in gate:
                assert inside(batch.start, worker.unlocked).all()
            elif not gate:
                assert not inside(batch.start, worker.doze).any()
            else:
                assert np.all((batch.start / HOUR % 24 >= 9.0) & (batch.start / HOUR % 24 < 17.5))


def test_m14_alarms_while_idle_are_rationed(windows, interval, rng):
    night = windows(doze=interval((HOUR, 9 * HOUR)))
    batch = poll(rng, night, period=300.0, law="fixed", wake="alarm", ration=900.0)
    dozing = np.sort(batch.start[inside(batch.start, night.doze)])
    assert set(np.diff(dozing).tolist()) == {900 * SECOND}


@pytest.mark.parametrize("hold", [30.0, 55.0, 120.0])
def test_m15_long_polls_are_held_and_asked_again_at_once(quiet, rng, hold):
    kind = long_poll.Behaviour(hold=hold, tasks_per_hour=0.0)
    batch = kind.plan(rng, quiet)
    order = np.argsort(batch.x_time)
    time, delay = batch.x_time[order], batch.x_delay[order]
    assert np.median(delay) / SECOND == pytest.approx(hold, abs=0.2)
    between = (time[1:] - time[:-1] - delay[:-1]) / SECOND
    assert between.min() >= long_poll.LEAST_PAUSE_S - 1e-5
    assert np.median(between) < 1.0
    assert 10 < len(batch.start) < batch.contacts / 5, "connections are kept for many requests"
    each = long_poll.Behaviour(hold=hold, lifetime=0.0, tasks_per_hour=0.0).plan(rng, quiet)
    assert len(each.start) == each.contacts


def test_m15_a_task_ends_the_hold_and_is_answered(quiet, rng):
    kind = long_poll.Behaviour(hold=55.0, tasks_per_hour=20.0)
    batch = kind.plan(rng, quiet)
    tasks = batch.x_down == kind.task_down
    assert tasks.sum() == pytest.approx(480, rel=0.2)
    assert (batch.x_delay[tasks] < 55 * SECOND + SECOND).all()
    results = (batch.x_delay < SECOND) & ~tasks & (batch.x_up != kind.up)
    assert abs(int(results.sum()) - int(tasks.sum())) <= 2


def test_m15_a_request_is_given_up_where_the_gate_shuts(windows, interval, rng):
    open_ = interval((HOUR, HOUR + 100 * SECOND))
    batch = long_poll.Behaviour(gate="unlocked", tasks_per_hour=0.0).plan(rng, windows(unlocked=open_))
    assert inside(batch.x_time, open_).all()
    assert batch.x_down.tolist()[-1] == 0
    assert (batch.x_time + batch.x_delay).max() <= HOUR + 100 * SECOND


def test_m16_a_websocket_lives_only_while_its_gate_is_open(worker, rng):
    batch = websocket_poll.Behaviour(gate="unlocked", period=60.0).plan(rng, worker)
    assert inside(batch.start, worker.unlocked).all()
    assert inside(batch.close - 1, worker.unlocked).all()


def test_m17_mqtt_keeps_alive_and_is_pushed_to(quiet, rng):
    kind = mqtt_poll.Behaviour(keepalive=120.0, tasks_per_hour=4.0, lifetime=7 * 86_400.0)
    batch = kind.plan(rng, quiet)
    assert (batch.speeches[0].protocol, batch.speeches[0].port, options(batch)) == ("mqtt", 8883, {"keepalive": "120"})
    pings = np.sort(batch.x_time[(batch.x_up == 2) & (batch.x_down == 2)])
    assert np.median(np.diff(pings)) / SECOND == pytest.approx(120.0, abs=0.2)
    pushed = (batch.x_up == 0) & (batch.x_down == kind.task_down)
    assert pushed.sum() == pytest.approx(96, rel=0.35)
    assert abs(int(pushed.sum()) - int(((batch.x_down == 4) & (batch.x_up > 100)).sum())) <= 2
    reports = mqtt_poll.Behaviour(period=600.0, law="fixed", tasks_per_hour=0.0, spread=0.0).plan(rng, quiet)
    assert (reports.x_up == mqtt_poll.Behaviour().report).sum() == pytest.approx(144, abs=3)


@pytest.mark.parametrize("channel", ["push", "mqtt", "websocket"])
def test_m18_every_fetch_follows_a_push_within_seconds(quiet, rng, channel):
    kind = push_poll.Behaviour(channel=channel, pushes_per_hour=6.0, result_probability=0.0)
    batch = kind.plan(rng, quiet)
    of_channel = batch.speech[batch.x_conversation] == 0
    pushes = np.sort(batch.x_time[of_channel & (batch.x_up == 0)])
    fetches = np.sort(batch.x_time[~of_channel])
    assert len(pushes) == len(fetches)
    after = (fetches - pushes) / SECOND
    assert after.min() >= 0.2
    assert after.max() <= 5.0
    assert np.std(np.diff(fetches)) / np.mean(np.diff(fetches)) > 0.8, "no cadence"
    assert reaches(batch) == ["popular", "vendor"]


@pytest.mark.parametrize(
    ("carrier", "protocol", "tls", "port", "peers"),
    [
        ("dns", "dns", False, 53, ["resolver"]),
        ("dns-tcp", "dns_tcp", False, 53, ["resolver"]),
        ("dot", "dns_tcp", True, 853, ["popular", "resolver"]),
        ("doh", "doh", True, 443, ["popular", "resolver"]),
    ],
)
def test_m19_m20_questions_go_by_every_carrier(quiet, rng, carrier, protocol, tls, port, peers):
    batch = dns_poll.Behaviour(carrier=carrier, qtype="NULL", period=60.0, keep=10.0).plan(rng, quiet)
    speech = batch.speeches[0]
    assert (speech.protocol, speech.tls, speech.port, speech.options["qtype"]) == (protocol, tls, port, "NULL")
    assert reaches(batch) == peers
    assert speech.options.get("zone") == ("@1" if len(peers) == 2 else None)
    assert (batch.contacts == len(batch.start)) == (carrier == "dns"), "bursts share a connection where there is one"
    kept = dns_poll.Behaviour(carrier=carrier, period=60.0, keep=300.0).plan(rng, quiet)
    assert (len(kept.start) == 1) == (carrier != "dns")


def test_m21_mail_is_looked_at_and_reports_are_sent_by_the_same_laws(windows, rng):
    window = windows(span=72 * HOUR)
    looks = mail_check.Behaviour(period=600.0, law="exponential", mail_probability=1.0, draft_probability=1.0)
    batch = looks.plan(rng, window)
    assert np.all(np.bincount(batch.x_conversation)[:-1] == 3), "NOOP, FETCH, APPEND"
    assert np.std(gaps_s(batch)) == pytest.approx(600.0, rel=0.2)
    sent = mail_smtp.Behaviour(period=600.0, law="lognormal", sigma=0.5).plan(rng, window)
    assert np.median(gaps_s(sent)) == pytest.approx(600.0, rel=0.15)


def test_m22_fronting_shows_a_popular_name_and_says_another(quiet, rng):
    batch = poll(rng, quiet, front="cdn", reach="vendor")
    assert reaches(batch) == ["popular", "vendor"]
    assert set(batch.peer.tolist()) == {0}
    assert options(batch)["host"] == "@1"
    assert "sni" not in options(batch)


def test_m23_a_dead_drop_is_read_and_answered_elsewhere(quiet, rng):
    kind = http_poll.Behaviour(reach="popular", result_reach="tail", task_probability=0.2)
    batch = kind.plan(rng, quiet)
    assert reaches(batch) == ["popular", "tail"]
    tasks = np.sort(batch.x_time[batch.x_down == kind.task_down])
    results = np.sort(batch.x_time[batch.peer[batch.x_conversation] == 1])
    assert len(tasks) == len(results) > 20
    assert np.all((results - tasks > 0) & (results - tasks <= 12 * SECOND))


def test_m24_domains_of_a_day_and_of_a_contact(windows, rng):
    window = windows(span=72 * HOUR)
    daily = poll(rng, window, dga="day", period=1_800.0)
    assert reaches(daily) == ["fresh"] * 3
    assert np.array_equal(daily.peer, daily.start // DAY)
    each = poll(rng, window, dga="contact", period=1_800.0)
    assert reaches(each) == ["fresh"] * len(each.start)
    assert np.array_equal(np.sort(each.peer), np.arange(len(each.start)))


def test_m25_an_address_without_a_name_or_with_a_foreign_one(quiet, rng):
    bare = poll(rng, quiet, reach="literal", naming="none")
    assert (reaches(bare), options(bare)) == (["literal"], {"sni": "none"})
    foreign = poll(rng, quiet, reach="literal", naming="foreign")
    assert reaches(foreign) == ["literal", "popular"]
    assert set(foreign.peer.tolist()) == {0}
    assert options(foreign) == {"sni": "@1"}
    hidden = poll(rng, quiet, naming="ech", resume=True)
    assert options(hidden) == {"sni": "@1", "ech": "1", "resume": "1"}


def test_only_the_first_session_with_a_host_is_no_resumption(windows, rng):
    window = windows(span=72 * HOUR)
    for settings, full in (({}, 1), ({"dga": "day"}, 3), ({"dga": "contact"}, None)):
        batch = poll(rng, window, resume=True, **settings)
        resumed = np.array([speech.options.get("resume") == "1" for speech in batch.speeches])[batch.speech]
        assert (~resumed).sum() == (full or len(batch.start))
        assert not resumed[np.argmin(batch.start)]


def test_m26_padding_is_uniform_and_added(quiet, rng):
    batch = poll(rng, quiet, period=60.0, pad_up=3_000, pad_down=8_000)
    assert batch.x_up.min() >= 420
    assert batch.x_up.max() <= 3_420
    assert batch.x_up.mean() == pytest.approx(1_920, rel=0.06)
    assert batch.x_down.mean() == pytest.approx(4_310, rel=0.06)


def test_m27_all_of_it_together(worker, rng):
    evasion = {"gate": "unlocked", "law": "exponential", "period": 120.0, "reach": "popular", "pad_up": 3_000}
    batch = poll(rng, worker, **evasion, naming="ech", carrier="http2", pad_down=8_000)
    assert batch.contacts > 20
    assert inside(batch.start, worker.unlocked).all()
    assert (batch.speeches[0].protocol, batch.speeches[0].tls) == ("http2", True)
    assert len(set(batch.x_up.tolist())) > 0.8 * batch.contacts


def test_http2_and_quic_keep_one_connection_for_many_polls(quiet, rng):
    kept = poll(rng, quiet, carrier="http2", period=60.0, jitter=0.0, keep=300.0)
    assert len(kept.start) == 1
    assert kept.contacts > 1_400
    some = poll(rng, quiet, carrier="quic", period=60.0, law="exponential", keep=60.0)
    assert 0.25 < len(some.start) / some.contacts < 0.5, "P(sleep > 60 s) is 1/e"
    assert (some.speeches[0].protocol, some.speeches[0].tls) == ("quic", False)
    assert np.all(some.close[:-1] >= some.start[:-1] + 60 * SECOND - SECOND)


@pytest.mark.parametrize(
    ("agent", "honest"),
    [
        (http_poll.Behaviour(front="cdn"), periodic_sync.Behaviour(front="cdn")),
        (http_poll.Behaviour(naming="ech", carrier="http2"), periodic_sync.Behaviour(naming="ech", carrier="http2")),
        (
            http_poll.Behaviour(reach="literal", naming="foreign"),
            periodic_sync.Behaviour(reach="literal", naming="foreign"),
        ),
        (websocket_poll.Behaviour(reach="fresh"), chat_websocket.Behaviour(reach="fresh")),
    ],
)
def test_an_honest_app_says_the_same_way(agent, honest, quiet, rng):
    one, other = agent.plan(rng, quiet), honest.plan(rng, quiet)
    assert one.speeches == other.speeches
    assert one.peers == other.peers
