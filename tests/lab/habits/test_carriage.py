"""Requests and look-ups travel as their settings say, in the agreed words of speeches."""

from __future__ import annotations

import pytest

from lab.behaviours import Speech
from lab.habits.carriage import CARRIERS, RESOLVERS, asked, web
from lab.habits.draft import Draft


def carried(**settings):
    draft = Draft(1)
    speech, peer = web(draft, "vendor", **settings)
    return draft.speeches[speech], [one.reach for one in draft.peers], peer


def test_an_ordinary_request_is_what_it_always_was():
    assert carried() == (Speech("http", True, 443, {}), ["vendor"], 0)
    assert carried(tls=False, method="POST")[0] == Speech("http", False, 80, {"method": "POST"})
    assert carried(port=8443)[0].port == 8443


def test_http2_has_tls_and_quic_brings_its_own():
    assert carried(carrier="http2", tls=False)[0] == Speech("http2", True, 443, {})
    assert carried(carrier="quic", method="GET")[0] == Speech("quic", False, 443, {})


def test_a_front_is_connected_to_and_the_app_asked_for():
    speech, reaches, peer = carried(carrier="http2", front="cdn")
    assert (reaches[peer], speech.options["host"]) == ("popular", "@1")
    assert reaches[1] == "vendor"


@pytest.mark.parametrize(
    ("settings", "options"),
    [
        ({"naming": "none"}, {"sni": "none"}),
        ({"naming": "ech"}, {"sni": "@1", "ech": "1"}),
        ({"resume": True}, {"resume": "1"}),
        ({"naming": "none", "resume": True, "tls": False}, {}),
    ],
)
def test_the_hello_says_what_it_shall(settings, options):
    assert dict(carried(**settings)[0].options) == options


@pytest.mark.parametrize(
    ("carrier", "protocol", "tls", "port"),
    [
        ("dns", "dns", False, 53),
        ("dns-tcp", "dns_tcp", False, 53),
        ("dot", "dns_tcp", True, 853),
        ("doh", "doh", True, 443),
    ],
)
def test_questions_travel_four_ways(carrier, protocol, tls, port):
    draft = Draft(1)
    speech, peer = asked(draft, carrier, qtype="TXT")
    said = draft.speeches[speech]
    assert (said.protocol, said.tls, said.port, said.options["qtype"]) == (protocol, tls, port, "TXT")
    assert draft.peers[peer].reach == ("popular" if tls else "resolver")
    assert (said.options.get("zone") == "@1") is tls


def test_every_way_has_a_speech():
    assert all(carried(carrier=carrier)[0].protocol == carrier for carrier in CARRIERS)
    assert set(RESOLVERS) == {"dns", "dns-tcp", "dot", "doh"}
