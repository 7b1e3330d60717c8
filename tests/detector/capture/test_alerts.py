"""The alert that closes a direction makes no exchange; the same bytes elsewhere do."""

import pytest

MS = 1_000
CCS, ALERT, CLEAR, SEALED = 20, 21, 22, 23


def modern(wire):
    hello, answer = wire.record(CLEAR, 512, b"\1\0"), wire.record(CLEAR, 122, b"\2\0")
    return [
        (10 * MS, ">", hello),
        (30 * MS, "<", answer + wire.record(CCS, 1) + wire.record(SEALED, 3_000)),
        (32 * MS, ">", wire.record(CCS, 1) + wire.record(SEALED, 53) + wire.record(SEALED, 400)),
        (52 * MS, "<", wire.record(SEALED, 900)),
    ]


def old(wire):
    ended = wire.record(CCS, 1) + wire.record(CLEAR, 40)
    return [
        (10 * MS, ">", wire.record(CLEAR, 512, b"\1\0")),
        (30 * MS, "<", wire.record(CLEAR, 122, b"\2\0") + ended),
        (32 * MS, ">", ended + wire.record(SEALED, 400)),
        (52 * MS, "<", wire.record(SEALED, 900)),
    ]


def both(wire, alert):
    return [(9_000 * MS, ">", alert), (9_020 * MS, "<", alert)]


def test_close_notify_is_no_exchange(wire):
    alert = wire.record(SEALED, 19)
    assert wire.sizes(wire.conversation(modern(wire) + both(wire, alert))) == [(405, 905)]
    assert wire.sizes(wire.conversation(modern(wire) + both(wire, alert)[::-1])) == [(405, 905)]


@pytest.mark.parametrize("length", [2, 18, 26, 32, 48, 80])
def test_close_notify_before_tls13(wire, length):
    assert wire.sizes(wire.conversation(old(wire) + both(wire, wire.record(ALERT, length)))) == [(405, 905)]


def test_in_pieces_and_beside_the_answer(wire):
    for messages, alert in ((modern(wire), wire.record(SEALED, 19)), (old(wire), wire.record(ALERT, 26))):
        *before, (when, way, answer) = messages
        assert wire.sizes(wire.conversation([*before, (when, way, answer + alert)])) == [(405, 905)]
        for piece in (1, 3, 20):
            packets = wire.conversation(
                messages + both(wire, alert),
                cut=lambda said, piece=piece: [said[at : at + piece] for at in range(0, len(said), piece)],
            )
            assert wire.sizes(packets) == [(405, 905)]


def test_an_alert_is_the_last_of_a_closed_direction(wire):
    alert = wire.record(SEALED, 19)
    assert wire.sizes(wire.conversation(modern(wire) + both(wire, alert)[:1], fin=False)) == [(405, 905), (24, 0)]
    more = [*modern(wire), (9_000 * MS, ">", alert), (9_020 * MS, "<", wire.record(SEALED, 60))]
    more += [(9_040 * MS, ">", wire.record(SEALED, 50))]
    assert wire.sizes(wire.conversation(more)) == [(405, 905), (24, 65), (55, 0)]


def test_what_was_said_long_before_the_end_is_no_alert(wire):
    """A broker's PINGRESP has two bytes, as an alert has; the client parts minutes later."""
    pong, alert = wire.record(SEALED, 19), wire.record(SEALED, 19)
    messages = [*modern(wire), (9_000 * MS, ">", wire.record(SEALED, 19)), (9_020 * MS, "<", pong)]
    assert wire.sizes(wire.conversation([*messages, (69_000 * MS, ">", alert)])) == [(405, 905), (24, 24)]
    clear = [*old(wire), (9_020 * MS, "<", wire.record(ALERT, 26)), (69_000 * MS, ">", wire.record(ALERT, 26))]
    assert wire.sizes(wire.conversation(clear)) == [(405, 905)]


def test_other_last_records_stay(wire):
    assert wire.sizes(wire.conversation(modern(wire) + both(wire, wire.record(SEALED, 20)))) == [(405, 905), (25, 25)]
    assert wire.sizes(wire.conversation(old(wire) + both(wire, wire.record(SEALED, 19)))) == [(405, 905), (24, 24)]
