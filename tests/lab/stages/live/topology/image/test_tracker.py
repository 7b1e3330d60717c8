"""Which connections are open: repetitions, ports used again, refusals, listeners, bytes."""

from __future__ import annotations

import pytest

from lab.stages.live.topology.image.diag import Gone, Heard
from lab.stages.live.topology.image.logged import FIN, SYN, Logged
from lab.stages.live.topology.image.tracker import Tracker, closed

PHONE, WEB, CALLER = ("10.88.1.2", 40000), ("198.18.5.5", 443), ("198.19.0.9", 5555)
DOOR = ("10.88.1.2", 1080)


def nobody(_proto, _local):
    return None


def out(sequence=100, proto="tcp", flags=SYN, uid=10123, source=PHONE, target=WEB):
    return Logged(False, uid, None, proto, source, target, flags, sequence if proto == "tcp" else 0)


def into(flags, sequence, payload=0, source=WEB, target=PHONE, proto="tcp"):
    return Logged(True, None, None, proto, source, target, flags, sequence, payload)


def gone(sent=10, received=11, proto="tcp", local=PHONE, peer=WEB):
    return Gone(proto, local, peer, sent, received)


def end(tracker, socket):
    return [closed(key, connection, socket.sent, socket.received) for key, connection in tracker.gone(socket)]


def test_a_connection_and_its_end():
    tracker = Tracker()
    begun = tracker.logged(out(), nobody)
    assert (begun["event"], begun["uid"], begun["local"], begun["peer"]) == ("connect", 10123, [*PHONE], [*WEB])
    assert tracker.logged(into(SYN, 0xFFFFFFF0), nobody) is None
    assert tracker.logged(into(FIN, 0xFFFFFFF1 + 1000 - (1 << 32), 50), nobody) is None
    (ended,) = end(tracker, gone(sent=77, received=9999))
    assert (ended["event"], ended["uid"], ended["bytes_up"], ended["bytes_down"]) == ("close", 10123, 77, 1050)
    assert tracker.open == {}


def test_without_a_fin_the_socket_s_own_count_is_taken():
    tracker = Tracker()
    tracker.logged(out(), nobody)
    tracker.logged(into(SYN, 5), nobody)
    (ended,) = end(tracker, gone(sent=1, received=300))
    assert ended["bytes_down"] == 300


def test_a_repeated_syn_is_no_second_connection():
    tracker = Tracker()
    assert tracker.logged(out(), nobody)
    assert tracker.logged(out(), nobody) is None
    assert len(tracker.gone(gone())) == 1
    assert tracker.gone(gone()) == []


def test_a_port_used_again_before_the_end_is_told_ends_twice_and_the_oldest_first():
    tracker = Tracker()
    tracker.logged(out(100), nobody)
    assert tracker.logged(out(200, uid=10456), nobody)["uid"] == 10456
    ends = [one["uid"] for _ in range(2) for one in end(tracker, gone())]
    assert ends == [10123, 10456]


def test_packets_of_what_was_never_seen_to_begin_are_no_connection():
    assert Tracker().logged(out(flags=FIN), nobody) is None
    assert Tracker().logged(into(FIN, 4), nobody) is None


def test_a_datagram_begins_and_does_not_begin_again():
    tracker = Tracker()
    assert tracker.logged(out(proto="udp", flags=0), nobody)["proto"] == "udp"
    assert tracker.logged(out(proto="udp", flags=0), nobody) is None


def test_an_unconnected_udp_socket_ends_all_its_conversations():
    tracker = Tracker()
    for last in (5, 6):
        tracker.logged(out(proto="udp", flags=0, target=(f"198.18.5.{last}", 53)), nobody)
    tracker.logged(out(proto="udp", flags=0, source=("10.88.1.2", 40001)), nobody)
    ended = tracker.gone(Gone("udp", ("0.0.0.0", 40000), ("0.0.0.0", 0), None, None))
    assert sorted(key[2][0] for key, _ in ended) == ["198.18.5.5", "198.18.5.6"]
    assert len(tracker.open) == 1


def test_a_refused_connection_forgets_its_peer_and_ends_all_the_same():
    tracker = Tracker()
    tracker.logged(out(), nobody)
    assert [one["bytes_up"] for one in end(tracker, gone(0, 0, local=("0.0.0.0", 40000), peer=("198.18.5.5", 0)))] == [
        0
    ]


def test_an_answered_connection_is_not_ended_by_a_socket_without_a_peer():
    tracker = Tracker()
    tracker.logged(out(), nobody)
    tracker.logged(into(SYN, 5), nobody)
    assert tracker.gone(gone(0, 0, local=("0.0.0.0", 40000), peer=("0.0.0.0", 0))) == []


def test_whoever_is_called_is_the_one_who_listens_and_up_is_what_it_received():
    tracker = Tracker()
    asked = []

    def owner(proto, local):
        asked.append((proto, local))
        return 10200

    begun = tracker.logged(into(SYN, 900, source=CALLER, target=DOOR), owner)
    assert (begun["event"], begun["uid"], begun["local"], begun["peer"]) == ("accept", 10200, [*DOOR], [*CALLER])
    assert asked == [("tcp", DOOR)]
    assert tracker.logged(into(SYN, 900, source=CALLER, target=DOOR), owner) is None
    tracker.logged(into(FIN, 901 + 40, source=CALLER, target=DOOR), owner)
    (ended,) = end(tracker, gone(sent=500, received=41, local=DOOR, peer=CALLER))
    assert (ended["bytes_up"], ended["bytes_down"]) == (40, 500)


def test_a_call_to_a_shut_port_is_nothing():
    tracker = Tracker()
    assert tracker.logged(into(SYN, 900, source=CALLER, target=DOOR), nobody) is None
    assert tracker.open == {}


def test_listeners_come_and_go():
    tracker = Tracker()
    (came,) = tracker.listening([Heard("tcp", ("0.0.0.0", 1080), 10200), Heard("tcp", ("0.0.0.0", 1080), 10200)])
    assert (came["event"], came["uid"], came["local"], came["peer"]) == ("listen", 10200, ["0.0.0.0", 1080], None)
    assert tracker.listening([Heard("tcp", ("0.0.0.0", 1080), 10200)]) == []
    (went,) = tracker.listening([])
    assert (went["event"], went["uid"], went["peer"]) == ("close", 10200, None)


def test_take_of_nothing_is_an_error():
    with pytest.raises(KeyError):
        Tracker().take(("tcp", PHONE, WEB))
