"""The proposed text loads whatever was measured, and says of each value where it is from."""

from __future__ import annotations

import tomllib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.authoring.from_capture import Candidate, sizes_of
from lab.authoring.from_capture_groups import Group
from lab.authoring.from_capture_hours import Opening
from lab.authoring.from_capture_laws import law_of
from lab.authoring.from_capture_text import Source, kind_of, text_of
from lab.scenario import parse_scenario

DAY = 86_400_000_000
START = 1_772_409_600_000_000
GROUP = Group("phone", None, "a.example", "tls", 443, None, 100, *([np.zeros(0, np.int64)] * 3), False, None)


def candidate(gaps=(60.0,) * 40, up=500, down=300, opening=(0.0, 24.0, "always", False, None), **changes):
    times = START + np.append(0, np.cumsum(np.array(gaps) * 1e6)).astype(np.int64)
    sizes = {"up": np.full(len(times), up), "down": np.full(len(times), down)}
    group = replace(GROUP, times=times, **sizes, **changes)
    return Candidate(group, law_of(group.gaps_s), Opening(*opening), sizes_of(group))


def loaded(one, source=None):
    text = text_of("mine", one, source or Source("c.pcap", (START, START + DAY)))
    parse_scenario(text.encode(), name="mine", place="mine.toml")
    return text, tomllib.loads(text)


@settings(max_examples=80, deadline=None)
@given(
    gaps=st.lists(st.floats(2.1, 1e6), min_size=7, max_size=40),
    sizes=st.tuples(st.integers(-1, 10**9), st.integers(-1, 10**9)),
    protocol=st.sampled_from(["tls", "http", "quic", "websocket", "dns", "ssh", None]),
    peer=st.text(max_size=20),
    label=st.sampled_from(["", "AN1793"]),
    port=st.integers(1, 65_535),
    flows=st.integers(1, 100),
    start=st.integers(0, 2**32 * 1_000_000),
    lasts=st.integers(0, 60 * DAY),
)
def test_whatever_was_measured_it_loads(gaps, sizes, protocol, peer, label, port, flows, start, lasts):
    one = candidate(
        gaps, *sizes, protocol=protocol, peer=peer, package=peer or None, port=port, flows=flows, qtype=None
    )
    _, document = loaded(one, Source("c\n.pcap", (start, start + lasts), label, "cut\nhere"))
    (behaviour,) = document["app"][0]["behaviour"]
    assert behaviour.get("label", "") == label
    assert document["expect"][0]["behaviour"] == behaviour["kind"] == kind_of(one, label)


def test_what_the_capture_shows_is_measured_and_what_it_cannot_is_asked():
    text, document = loaded(candidate(), Source("c.pcap", (START, START + 2_400_000_000)))
    assert "# measured: most flows are tls" in text
    assert text.count("QUESTION: ") >= 5
    assert document["app"][0]["behaviour"][0] == {
        "kind": "periodic-sync",
        "carrier": "http",
        "tls": True,
        "law": "fixed",
        "period": "60s",
        "flex": 0.0,
        "wake": "service",
        "shut": "wait",
        "news_probability": 0.0,
        "gate": "always",
        "up": 478,
        "down": 278,
        "spread": 0.0,
    }
    assert (document["span"], str(document["start"])) == ("40m", "2026-03-02 00:00:00+00:00")


def test_hours_lock_and_doze_are_kept():
    _, document = loaded(candidate(opening=(9.0, 18.0, "locked", True, False)))
    behaviour = document["app"][0]["behaviour"][0]
    assert (behaviour["from_hour"], behaviour["until_hour"], behaviour["gate"]) == (9.0, 18.0, "locked")
    assert document["app"][0]["exempt"] is False
    assert document["expect"][0]["contacts"]["at_least"] < 540 / 4


@pytest.mark.parametrize(
    ("changes", "label", "kind", "settings_"),
    [
        ({"protocol": "dns", "qtype": "NULL"}, "", "dns-poll", {"qtype": "NULL"}),
        ({"protocol": "websocket", "port": 80, "ping_s": 30.0}, "", "websocket-poll", {"ping": "30s", "tls": False}),
        ({"protocol": "quic"}, "AN1793", "http-poll", {"carrier": "quic"}),
        ({"protocol": "http", "port": 8080}, "AN1793", "http-poll", {"tls": False, "port": 8080}),
        ({"protocol": "tls", "flows": 2}, "", "periodic-sync", {"keep": "61s"}),
        ({"gaps": (2.5,) * 20}, "", "http-poll", {"period": "2.5s"}),
    ],
)
def test_the_kind_goes_with_the_protocol(changes, label, kind, settings_):
    _, document = loaded(candidate(**changes), Source("c.pcap", (START, START + DAY), label))
    behaviour = document["app"][0]["behaviour"][0]
    assert behaviour["kind"] == kind
    assert {key: behaviour[key] for key in settings_} == settings_


def test_a_value_that_no_behaviour_can_have_is_moved_and_says_so():
    text, document = loaded(candidate(up=60))
    assert document["app"][0]["behaviour"][0]["up"] == 100
    assert "ASSUMED: 38 is beyond what this kind can, 100 to 100000" in text
    unknown, document = loaded(candidate(up=-1, protocol="ssh"))
    assert "up" not in document["app"][0]["behaviour"][0]
    assert "the capture says ssh, which no kind here polls by" in unknown


def test_only_when_it_spoke_is_imitated_where_the_capture_is_much_longer():
    _, document = loaded(candidate(gaps=(60.0,) * 359), Source("c.pcap", (START - DAY, START + DAY)))
    assert (document["span"], str(document["start"])) == ("360m", "2026-03-02 00:00:00+00:00")
    pauses = (60.0,) * 100 + (30_000.0,) + (60.0,) * 100
    text, document = loaded(candidate(gaps=pauses), Source("c.pcap", (START, START + DAY // 2)))
    assert document["span"] == "720m"
    assert "measured 202 in the capture; 720 by the law; its silences are not imitated" in text


def test_what_nobody_counted_is_asked():
    text, document = loaded(candidate(up=-1, down=-1))
    assert "QUESTION: how much is said?" in text
    assert not {"up", "down", "spread"} & set(document["app"][0]["behaviour"][0])


def test_silences_of_an_unseen_doze_are_left_to_doze():
    gaps = [60.0, 61.0, 59.0, 60.5, 400.0, 60.2, 900.0, 58.0, 62.0, 3.0] * 6
    text, document = loaded(candidate(gaps))
    assert document["app"][0]["exempt"] is False
    assert "ASSUMED: its 12 long silences are those of Doze" in text
    assert "12 silences and 6 gaps after a task set aside" in text
