"""Whose a 5-tuple is: by both ends and the nearest time, as a plain search over all conversations would say."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.stages.live.pace import Tempo
from lab.stages.live.script import Played
from lab.stages.live.tuples import SLACK_US, endpoints, index_flows

EPOCH, START = 1_800_000_000_000_000, 1_772_409_600_000_000
PHONE, SERVER, OTHER = ("10.88.3.4", 40_000), ("198.18.7.9", 443), ("198.18.7.9", 80)


def index(rows, courses=None, speed=60):
    """Rows of (client, server, transport, opened, closed), real us."""
    scripts = [SimpleNamespace(n=n, transport=row[2]) for n, row in enumerate(rows)]
    played = [
        Played(n, client, server, EPOCH + opened, EPOCH + closed, 0, 0)
        for n, (client, server, _, opened, closed) in enumerate(rows)
    ]
    return index_flows(scripts, played, courses or {}, Tempo(EPOCH, START, speed))


def find(flows, one, other, time, proto=6) -> int:
    ends = endpoints([one]), endpoints([other])
    return int(flows.find(np.array([proto]), *ends, np.array([EPOCH + time]))[0])


ENDS = st.tuples(st.sampled_from(["10.88.3.4", "198.18.7.9"]), st.integers(1, 3))
TIMES = st.integers(-200, 400).map(lambda n: n * 1_000_000)
FLOWS = st.lists(st.tuples(ENDS, ENDS, st.sampled_from(["tcp", "udp"]), TIMES, st.integers(0, 60)), max_size=12)


@given(rows=FLOWS, asked=st.lists(st.tuples(ENDS, ENDS, st.sampled_from(["tcp", "udp"]), TIMES), max_size=12))
def test_it_finds_one_as_near_as_a_plain_search_would(rows, asked):
    spans = [(*row[:3], row[3], row[3] + row[4] * 100_000) for row in rows]
    flows = index(spans)
    for one, other, transport, time in asked:
        fits = {
            n: max(opened - time, time - closed, 0)
            for n, (client, server, kind, opened, closed) in enumerate(spans)
            if kind == transport and {client, server} == {one, other}
        }
        found = find(flows, one, other, time, {"tcp": 6, "udp": 17}[transport])
        overlap = len({n for n, far in fits.items() if far == 0}) > 1
        if found >= 0:
            assert fits[found] <= SLACK_US
            assert overlap or fits[found] <= min(fits.values()) + 60 * 100_000, "at most an overlap away"
        else:
            assert min(fits.values(), default=SLACK_US + 1) > SLACK_US


def test_a_port_used_again_is_told_by_time():
    flows = index([(PHONE, SERVER, "tcp", 0, 10_000_000), (PHONE, SERVER, "tcp", 80_000_000, 90_000_000)])
    assert [find(flows, PHONE, SERVER, t) for t in (-1, 5_000_000, 44_999_999, 45_000_001, 90_000_001)] == [
        0,
        0,
        0,
        1,
        1,
    ]
    assert find(flows, SERVER, PHONE, 5_000_000) == 0, "either way"


def test_what_is_too_late_too_early_or_other_is_nobodys():
    flows = index([(PHONE, SERVER, "tcp", 0, 10)])
    assert find(flows, PHONE, SERVER, 10 + SLACK_US) == 0
    assert find(flows, PHONE, SERVER, 11 + SLACK_US) == -1
    assert find(flows, PHONE, SERVER, -SLACK_US) == 0
    assert find(flows, PHONE, SERVER, -SLACK_US - 1) == -1
    assert find(flows, PHONE, OTHER, 5) == -1
    assert find(flows, PHONE, SERVER, 5, proto=17) == -1
    assert find(flows, PHONE, SERVER, 5, proto=1) == -1
    assert find(flows, PHONE, None, 5) == -1
    assert find(index([]), PHONE, SERVER, 5) == -1


def test_tcp_and_udp_between_the_same_ends_are_two():
    flows = index([(PHONE, SERVER, "tcp", 0, 10), (PHONE, SERVER, "udp", 0, 10)])
    assert [find(flows, PHONE, SERVER, 5, proto) for proto in (6, 17)] == [0, 1]


def test_times_are_those_of_the_course_or_of_the_plain_clock():
    course = SimpleNamespace(scenario_time=lambda real: START + 1_000 * real)
    flows = index([(PHONE, SERVER, "tcp", 0, 10)], {0: course})
    wall = EPOCH + np.array([7, 7, -7])
    assert flows.scenario_time(np.array([0, -1, -1]), wall).tolist() == [START + 7_000, START + 420, START - 7]


@pytest.mark.parametrize("place", [None, (None, 5), ("10.88.3.4", None), ("2001:db8::1", 5), ("nobody", 5)])
def test_what_is_no_ipv4_endpoint_is_none(place):
    assert endpoints([place]).tolist() == [-1]
    assert endpoints([("0.0.1.0", 5)]).tolist() == [(256 << 16) + 5]
