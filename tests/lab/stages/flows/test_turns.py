"""Turns: what the wire stage says, without a byte of it."""

import numpy as np
import pytest

from lab.behaviours import Speech


def by_row(rows):
    found = {}
    for row, start, client, size in rows:
        found.setdefault(row, []).append((start, client, size))
    return {row: sorted(said) for row, said in found.items()}


def turns_of(found):
    turns = found.said.turns
    columns = (turns.conversation, turns.begin, turns.client, turns.size)
    return by_row(zip(*(column.tolist() for column in columns), strict=True))


def test_every_conversation_says_as_much_at_the_same_times(tiny, scene, messages):
    wire, made = by_row(messages(tiny)), turns_of(scene)
    assert wire.keys() == made.keys()
    for row, said in wire.items():
        for side in (True, False):
            sizes = [sum(size for _, client, size in rows if client == side) for rows in (said, made[row])]
            assert sizes[1] == pytest.approx(sizes[0], rel=0.02, abs=4), row
        assert made[row][0][0] == said[0][0]
        assert made[row][-1][0] == pytest.approx(said[-1][0], abs=20_000), row


def test_a_first_request_leaves_with_the_preface(timeline_of, talk, scene_from, messages):
    timeline = timeline_of(
        [talk([(0, 400, 2_000, 9_000), (2_000_000, 90, 80, 1_000)], speech=Speech("http2", port=80))]
    )
    wire, made = by_row(messages(timeline)), turns_of(scene_from(timeline))
    order = [client for _, client, _ in made[0]]
    assert order == [True, True, False, True, False, True, False]
    assert sum(size for _, _, size in made[0]) == pytest.approx(sum(size for _, _, size in wire[0]), abs=4)
    assert made[0][4][0] == pytest.approx(wire[0][3][0], abs=2_000)


def test_exchanges_that_come_too_early_wait(timeline_of, talk, scene_from, messages):
    rows = [(0, 100, 100, 500_000), (1_000, 200, 100, 500_000), (2_000, 300, 100, 500_000)]
    timeline = timeline_of([talk(rows)])
    wire, made = by_row(messages(timeline)), turns_of(scene_from(timeline))
    assert np.allclose([start for start, *_ in made[0]], [start for start, *_ in wire[0]], atol=50, rtol=0)


@pytest.mark.parametrize("options", [{}, {"resume": "1"}])
@pytest.mark.parametrize("host", [0, 2, 3])
def test_a_server_of_quic_has_its_own_chain_and_requests_go_with_finished(
    timeline_of, talk, scene_from, messages, host, options
):
    speech = Speech("quic", port=443, options=options)
    timeline = timeline_of([talk([(0, 400, 2_000, 90_000)], host=host, speech=speech)])
    wire, made = by_row(messages(timeline))[0], turns_of(scene_from(timeline))[0]
    asked = [[(start, size) for start, client, size in said if client] for said in (wire, made)]
    flights = [
        sum(size for start, client, size in said if not client and start < own[1][0])
        for said, own in zip((wire, made), asked, strict=True)
    ]
    assert flights[1] == pytest.approx(flights[0], abs=12)
    assert [start for start, _ in asked[1][1:3]] == pytest.approx([start for start, _ in asked[0][1:3]], abs=8_000)
    assert sorted(size for _, size in asked[1][:3]) == sorted(size for _, size in asked[0][:3]) == [400, 1_250, 1_250]
    assert made[-1][0] == pytest.approx(wire[-1][0], abs=8_000)


@pytest.mark.parametrize(("protocol", "options"), [("doh", {}), ("doh", {"method": "GET"}), ("http2", {})])
def test_first_exchanges_carry_what_later_ones_refer_to(timeline_of, talk, scene_from, messages, protocol, options):
    speech = Speech(protocol, port=443, options=options)
    timeline = timeline_of([talk([(0, 60, 90, 9_000), (2_000_000, 60, 90, 1_000)], speech=speech)])
    wire, made = by_row(messages(timeline))[0], turns_of(scene_from(timeline))[0]
    for since, until in ((0, 1_500_000), (1_500_000, 9_000_000)):
        for side in (True, False):
            sums = [
                sum(size for start, client, size in said if client == side and since <= start - wire[0][0] < until)
                for said in (wire, made)
            ]
            assert sums[1] == pytest.approx(sums[0], abs=20)
