"""Proxy requests: only the end that was asked and did not refuse is a relay."""

from __future__ import annotations

import numpy as np
import pytest

from detector.analytics import proxy_handshake
from detector.analytics.proxy_handshake import _answered, _onward, asked_to_relay
from detector.columns import codes
from detector.contacts import Flows, hosts
from detector.contract import detector

SERVED = {"inbound": True, "client": "10.88.0.77", "server": "10.88.0.2", "server_port": 1080, "proxy": "socks5"}
SERVED |= {"proxy_server": "server", "proxy_target": "www.site.example:443", "proxy_granted": True}


def relays(made):
    return [finding for finding in detector("builtin").detect(made.telemetry()) if finding.analytic == "AN1702"]


def reason(finding, name):
    return next(reason for reason in finding.reasons if reason.feature == name)


def test_one_granted_request_is_decisive(made):
    made.flow(10, **SERVED)
    (finding,) = relays(made)
    assert finding.alert
    assert finding.severity == "medium"
    assert "10.88.0.77 sent 1 socks5 requests on a port of the device, and it granted" in finding.reasons[0].text


def test_the_onward_leg_raises_severity(made):
    made.flow(10, **SERVED)
    made.flow(11, name="www.site.example")
    (finding,) = relays(made)
    assert reason(finding, "onward_leg").value == 1
    assert finding.severity == "high"


def test_a_later_visit_to_the_target_is_no_onward_leg(made):
    made.flow(10, **SERVED)
    made.flow(9, name="www.site.example")
    made.flow(25, name="www.site.example")
    assert reason(relays(made)[0], "onward_leg").value == 0


def test_who_dialled_out_to_be_asked_is_a_relay(made):
    made.flow(10, server="198.18.9.9", proxy="socks5", proxy_server="client", proxy_granted=True)
    (finding,) = relays(made)
    assert (finding.alert, finding.severity) == (True, "high")


@pytest.mark.parametrize(
    "values",
    [
        {"inbound": False},
        {"proxy_server": "client"},
        {"proxy_granted": False},
        {"proxy": None, "proxy_server": None},
    ],
)
def test_clients_and_refusals_are_no_relays(made, values):
    made.flow(10, **{**SERVED, **values})
    assert relays(made) == []


def test_a_request_without_an_answer_is_a_near_miss(made):
    made.flow(10, **{**SERVED, "proxy_granted": None})
    (finding,) = relays(made)
    assert not finding.alert
    assert 0 < finding.score < 0.5


@pytest.mark.parametrize(
    "ends", [{"client": "127.0.0.1", "server": "127.0.0.1"}, {"client": "192.168.0.3", "server": "198.18.0.44"}]
)
def test_what_is_not_ours_to_judge_is_informational(made, ends):
    made.flow(10, **{**SERVED, **ends})
    (finding,) = relays(made)
    assert (finding.alert, finding.severity) == (False, "informational")


@pytest.mark.parametrize(("protocol", "decided"), [("connect", 12), ("socks5", 14)])
def test_the_decision_falls_when_the_request_was_answered(made, protocol, decided):
    flow = made.flow(10, lasts_s=500, **{**SERVED, "proxy": protocol})
    made.exchange(flow, 10, 3, 0)
    for start in (11, 13, 20):
        made.exchange(flow, start, 3, 2, delay_s=1)
    (finding,) = relays(made)
    assert finding.decided_at == decided * 1_000_000


def asked_table(made, rng, count=120):
    """Requests and flows of some devices at whole seconds, many of them to requested targets; exchanges of any kind."""
    made.rows.clear()
    for _ in range(count):
        host = f"h{rng.integers(4)}.example"
        who = {"device": f"phone-{rng.integers(3)}", "flow": int(rng.integers(count))}
        if rng.random() < 0.4:
            target = None if rng.random() < 0.1 else f"{host}:443"
            proxy = {"proxy": str(rng.choice(["socks5", "connect"])), "proxy_target": target}
            made.flow(rng.integers(60), **{**SERVED, **proxy, **who})
        else:
            made.flow(rng.integers(60), name=host if rng.random() < 0.5 else None, server=host, **who)
    for _ in range(3 * count):
        up, down = (int(part) for part in rng.integers(0, 2, 2))
        made.exchange(int(rng.integers(count)), rng.integers(90), up, down, delay_s=int(rng.integers(9)))
    return made.telemetry().tables


def test_onward_legs_and_answers_are_those_of_one_look_at_a_time(made, rng):
    seen = 0
    for _ in range(5):
        tables = asked_table(made, rng)
        table, exchanges = tables["flows"].to_pylist(), tables["exchanges"].to_pylist()
        flows, proxy = Flows.read(tables["flows"]), codes(tables["flows"]["proxy"])
        rows = np.flatnonzero(proxy.code != -1)
        legs, answers = [], []
        for asked in (table[row] for row in rows):
            host = (asked["proxy_target"] or "").removesuffix(":443")
            soon = [
                row
                for row in table
                if not row["inbound"] and row["device"] == asked["device"]
                if asked["start"] <= row["start"] <= asked["start"] + 10_000_000
            ]
            legs.append(any(host in (row["server"], row["name"]) for row in soon))
            own = [one for one in exchanges if one["flow"] == asked["flow"] and one["bytes_up"] and one["bytes_down"]]
            ends = [*sorted(one["end"] for one in own)[asked["proxy"] == "socks5" :], asked["end"]]
            answers.append(ends[0])
        wanted = hosts(codes(tables["flows"]["proxy_target"]))
        assert _onward(rows, flows, wanted).tolist() == legs
        found = _answered(rows, flows, tables["exchanges"], proxy)
        assert found.tolist() == answers
        assert _answered(rows, flows, None, proxy).tolist() == flows.end[rows].tolist()
        seen += sum(legs)
    assert seen > 20, "the comparison would hold of nothing, too"


def test_a_table_is_converted_once_however_many_requests_it_holds(made, monkeypatch):
    for k in range(30):
        flow = made.flow(10 + k, **{**SERVED, "device": f"phone-{k:02d}"})
        made.exchange(flow, 10 + k, 3, 3)
    tables, calls = made.telemetry().tables, []
    real = proxy_handshake.whole
    monkeypatch.setattr(proxy_handshake, "whole", lambda *given: calls.append(1) or real(*given))
    found = list(asked_to_relay(tables["flows"], Flows.read(tables["flows"]), tables["exchanges"]))
    assert len(found) == 30
    assert len(calls) < 10
