"""What is read off a timeline about hosts and ways of speaking: no column without its meaning."""

from dataclasses import replace

import pytest

from lab.behaviours import Speech
from lab.catalogue import peer_traits
from lab.catalogue.peer_traits import DRAWN, MANNERS, channels, peer_rows
from lab.protocols.tls import chain_bytes
from lab.scenario import compile_scenario, find_scenario, load_scenario

HOUR = 3_600_000_000


def evening(name):
    scenario = load_scenario(find_scenario(name))
    short = replace(scenario, span=HOUR, start=scenario.start + 19 * HOUR)
    return scenario, compile_scenario(short, 1)


@pytest.fixture(scope="module")
def poll():
    return evening("https-poll-5m")


def test_peers_have_a_name_a_ttl_and_a_manner(poll):
    scenario, timeline = poll
    rows = list(peer_rows(scenario, timeline))
    bad = [row for row in rows if row.malicious]
    assert {row.package for row in bad} == {"com.orchard.torch"}
    assert {(row.traits["protocol"], row.traits["port"], row.traits["transport"]) for row in bad} == {
        ("http+tls", 443, "tcp")
    }
    assert all(row.traits["TTL of the name"] >= 30 for row in bad)
    assert {row.traits["reach"] for row in rows} >= {"popular", "vendor"}
    ranked = [row.traits["rank among the popular"] for row in rows if row.traits["reach"] == "popular"]
    assert ranked
    assert None not in ranked
    assert all(row.traits["rank among the popular"] is None for row in rows if row.traits["reach"] == "vendor")


def test_only_what_imitates_plays_the_twin():
    scenario, timeline = evening("https-checkin-5m")
    acts = {row.package for row in peer_rows(scenario, timeline) if row.acts}
    assert acts == {"com.cobalt.warden"}


def test_channels_count_apps_by_protocol_and_port(poll):
    _, timeline = poll
    used = channels(timeline)
    assert used[True] == {("protocol", "http+tls"): 2, ("port", "tcp 443"): 2}
    assert used[False]["protocol", "push+tls"] == 3
    assert all("dns" not in what for _, what in used[True])


def test_a_host_has_a_certificate_where_it_needs_one(poll):
    rows = [row.traits for row in peer_rows(*poll)]
    encrypted = [row for row in rows if row["TLS"] and row["address, parity"] is not None]
    assert encrypted
    least, most = chain_bytes("a.example"), chain_bytes("b.example")
    assert least != most
    assert all(row["certificate"] >= 400 for row in encrypted)
    assert all(row["certificate"] is None for row in rows if row["protocol"] == "http")


def test_a_name_has_a_shape(poll):
    scenario, timeline = poll
    hosts = tuple(replace(host, name="kq7-xz.example") if host.name else host for host in timeline.hosts)
    rows = [row.traits for row in peer_rows(scenario, replace(timeline, hosts=hosts))]
    row = next(row for row in rows if row["name length"])
    assert (row["name length"], row["labels of the name"], row["letters of the domain"]) == (14, 2, 6)
    assert (row["digits in the name"], row["hyphens in the name"], row["vowels of the domain"]) == (1, 1, 0.0)
    assert 3 < row["entropy of the name"] < 4


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({}, {"method": "as its size wants", "SNI": "its own", "resumption": "0", "ECH": "0", "front": False}),
        ({"method": "POST", "resume": "1"}, {"method": "POST", "resumption": "1", "options": "method resume"}),
        ({"sni": "none", "qtype": "TXT"}, {"SNI": "none", "qtype": "TXT"}),
        ({"sni": "cdn.example", "ech": "1", "host": "a.example"}, {"SNI": "another's", "ECH": "1", "front": True}),
        ({"path": "/a"}, {"path": "/a"}),
    ],
)
def test_a_manner_is_how_something_is_said_without_names(poll, options, found):
    scenario, timeline = poll
    speeches = tuple(Speech("http", tls=True, options=options) for _ in timeline.speeches)
    (row, *_) = peer_rows(scenario, replace(timeline, speeches=speeches))
    assert row.traits.items() >= found.items()
    assert not any("example" in str(row.traits[name]) for name in MANNERS)


@pytest.mark.parametrize(
    ("speech", "protocol", "alpn"),
    [
        (Speech("opaque", tls=True), "opaque+tls", ""),
        (Speech("opaque", tls=True, options={"alpn": "h2"}), "http2+tls", "h2"),
        (Speech("opaque", tls=True, options={"alpn": "http/1.1"}), "http+tls", "http/1.1"),
        (Speech("opaque", port=8800), "opaque", "no TLS"),
        (Speech("websocket", tls=True), "websocket+tls", "http/1.1"),
        (Speech("mux", tls=True), "mux+tls", ""),
    ],
)
def test_filler_under_tls_is_what_its_alpn_says(poll, speech, protocol, alpn):
    scenario, timeline = poll
    (row, *_) = peer_rows(scenario, replace(timeline, speeches=(speech,) * len(timeline.speeches)))
    assert (row.traits["protocol"], row.traits["ALPN"], row.traits["options"]) == (protocol, alpn, "")


def test_an_ipv6_address_is_an_address_too(poll):
    scenario, timeline = poll
    hosts = tuple(replace(host, address="2001:db8::1:203") for host in timeline.hosts)
    (row, *_) = (row for row in peer_rows(scenario, replace(timeline, hosts=hosts)) if row.traits["IPv6"])
    known = [row.traits[f"address, {part}"] for part in ("low byte", "third byte", "parity", "half of the network")]
    assert known == [3, 2, 1, 1]


def test_drawn_traits_and_manners_are_traits(poll):
    known = {name for row in peer_rows(*poll) for name in row.traits}
    assert known == DRAWN | MANNERS
    assert not DRAWN & MANNERS
    assert set(peer_traits.NO_HOST) < DRAWN
