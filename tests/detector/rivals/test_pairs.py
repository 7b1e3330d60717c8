"""Pairs: who is grouped with whom, who is nobody, and where windows are cut."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.rivals.pairs import Windows, by_best_name, by_name, by_port, host_pairs, process_pairs


def shown(pairs):
    """(device, uid, peer, connections) of each group."""
    who, counts = pairs.who, np.diff(pairs.edges).tolist()
    return sorted((who.device.text(k), int(who.uid[k]), who.peer.text(k), counts[k]) for k in range(len(who)))


def test_a_tool_groups_by_what_its_sensor_reads(made):
    made.flow(2, name="a.example", sni="a.example", uid=10_001)
    made.flow(1, name="a.example", name_from="dns", uid=10_002)
    told = made.telemetry()
    assert shown(host_pairs(told, by_name)) == [("phone-01", -1, "198.18.0.9", 1), ("phone-01", -1, "a.example", 1)]
    assert shown(host_pairs(told, by_best_name)) == [("phone-01", -1, "a.example", 2)]
    assert shown(host_pairs(told, by_port)) == [("phone-01", -1, "198.18.0.9 443", 2)]
    processes = process_pairs(told)
    assert [(uid, count) for _, uid, _, count in shown(processes)] == [(10_001, 1), (10_002, 1)]


def test_what_others_opened_and_what_has_no_server_is_left_out(made):
    made.flow(0, inbound=True)
    made.flow(1, server="224.0.0.251")
    made.flow(2, server="127.0.0.1")
    assert shown(host_pairs(made.telemetry(), by_name)) == []


def test_connections_are_in_time_order_with_their_rows(made):
    for time, up in ((5, 50), (1, 10), (3, 30)):
        made.flow(time, up=up)
    pairs = host_pairs(made.telemetry(), by_name)
    assert (pairs.up.tolist(), pairs.row.tolist(), pairs.group.tolist()) == ([10, 30, 50], [1, 2, 0], [0, 0, 0])


def test_windows_are_cut_by_group_and_time(made):
    for time in (0, 10, 3600):
        made.flow(time, sni="a.example")
    made.flow(3601, sni="b.example")
    cut = host_pairs(made.telemetry(), by_name).windows(0, 3_600_000_000)
    assert (cut.number.tolist(), cut.counts.tolist(), cut.edges.tolist()) == ([0, 1, 1], [2, 1, 1], [0, 2, 3, 4])


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(-3, 3)), max_size=30))
def test_every_connection_is_in_the_window_that_is_its(rows):
    rows.sort()
    group, number = (np.array([row[k] for row in rows], np.int64) for k in (0, 1))
    cut = Windows.cut(group, number)
    assert len(set(rows)) == len(cut.owner)
    assert (cut.owner[cut.window] == group).all()
    assert (cut.number[cut.window] == number).all()
