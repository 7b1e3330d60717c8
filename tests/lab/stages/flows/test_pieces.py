"""Flows and exchanges: cut where the reader of captures cuts."""

import numpy as np

from lab.behaviours import Speech
from lab.stages.flows.pieces import exchanged

MINUTE = 60_000_000


def exchanges(found):
    queries = np.zeros(len(found.scene.start), dtype=np.bool_)
    return exchanged(found.seen, found.pieces, found.piece, queries)


def test_a_conversation_is_a_flow(scene):
    assert scene.pieces.conversation.tolist() == [0, 1, 2, 3, 4, 5]
    assert scene.pieces.established.all()
    assert (scene.pieces.end > scene.pieces.start).all()


def test_datagrams_after_silence_are_another_flow(timeline_of, talk, scene_from):
    rows = [(0, 40, 40, 0), (2 * MINUTE, 40, 40, 0), (6 * MINUTE, 40, 40, 0)]
    found = scene_from(timeline_of([talk(rows, speech=Speech("datagram", port=500))]))
    assert found.pieces.nth.tolist() == [0, 1]
    assert exchanges(found).piece.tolist() == [0, 0, 1]


def test_whoever_speaks_first_after_silence_is_the_client(timeline_of, talk, scene_from):
    rows = [(0, 40, 40, 0), (6 * MINUTE, 0, 70, 0)]
    for port, turned in ((5_000, True), (500, False)):
        pieces = scene_from(timeline_of([talk(rows, speech=Speech("datagram", port=port))])).pieces
        assert pieces.turned.tolist() == [False, turned]
        assert (pieces.bytes_up[1], pieces.bytes_down[1]) == ((70, 0) if turned else (0, 70))


def test_a_connection_may_be_silent_for_an_hour(timeline_of, talk, scene_from):
    for pause, count in ((50 * MINUTE, 1), (70 * MINUTE, 2)):
        pieces = scene_from(timeline_of([talk([(0, 40, 40, 0), (pause, 40, 40, 0)])])).pieces
        assert len(pieces.start) == count
        assert pieces.packets_up.sum() == 2 + 2 + 2 + (2 if count == 2 or pause else 0)


def test_exchanges_begin_with_the_client_or_after_two_seconds(timeline_of, talk, scene_from):
    rows = [(0, 40, 50, 0), (10**6, 60, 0, 0), (10**6 + 10**5, 7, 0, 0), (9 * 10**6, 8, 0, 0), (10**7, 0, 500, 0)]
    found = exchanges(scene_from(timeline_of([talk(rows)])))
    assert found.bytes_up.tolist() == [40, 67, 8]
    assert found.bytes_down.tolist() == [50, 0, 500]
    assert (found.first_down < 0).tolist() == [False, True, False]


def test_what_tls_says_itself_is_in_no_exchange(scene):
    said = exchanges(scene)
    whole = [scene.pieces.bytes_up.sum() - said.bytes_up.sum(), scene.pieces.bytes_down.sum() - said.bytes_down.sum()]
    assert whole[0] > 600
    assert whole[1] > 2_000
