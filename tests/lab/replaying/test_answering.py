from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import Ether

from lab.replaying.answering import Heard, parsed, tcp_of

ETHER = Ether(src="02:00:00:00:00:0a", dst="02:00:00:00:00:01")
THERE, BACK = IP(src="10.88.3.4", dst="198.18.0.9"), IP(src="198.18.0.9", dst="10.88.3.4")


def client(flags, seq, payload=b"", stamp=None):
    options = [("Timestamp", (stamp, 0))] if stamp is not None else []
    return bytes(ETHER / THERE / TCP(sport=40_000, dport=443, flags=flags, seq=seq, options=options) / payload)


def server(flags, ack, payload=b"", stamp=None):
    options = [("Timestamp", (stamp, 0))] if stamp is not None else []
    return bytes(ETHER / BACK / TCP(sport=443, dport=40_000, flags=flags, seq=900, ack=ack, options=options) / payload)


def test_what_was_really_heard_is_acknowledged(valid):
    heard = Heard()
    heard.hear(client("S", 1_000))
    answer = heard.answer(server("SA", ack=7), 0)
    assert tcp_of(answer).ack == 1_001
    assert valid(answer)
    heard.hear(client("PA", 1_001, b"x" * 10))
    assert tcp_of(heard.answer(server("A", ack=7), 0)).ack == 1_011
    heard.hear(client("FA", 1_011))
    assert tcp_of(heard.answer(server("FA", ack=7, payload=b"bye"), 0)).ack == 1_012


def test_a_hole_is_not_acknowledged():
    heard = Heard()
    heard.hear(client("S", 1_000))
    heard.hear(client("PA", 5_000, b"later"))
    assert tcp_of(heard.answer(server("A", ack=7), 0)).ack == 1_001


def test_sequence_numbers_come_round():
    heard = Heard()
    heard.hear(client("S", (1 << 32) - 1))
    assert heard.next == 0


def test_nothing_heard_leaves_the_recorded_word():
    assert tcp_of(Heard().answer(server("A", ack=7, payload=b"x"), 0)).ack == 7
    reset = bytes(ETHER / BACK / TCP(flags="R", ack=0))
    heard = Heard(next=99)
    assert tcp_of(heard.answer(reset, 0)).ack == 0


def test_time_stamps_follow_this_machine_and_echo_the_other(valid):
    heard = Heard()
    heard.hear(client("S", 1_000, stamp=555))
    first = heard.answer(server("SA", ack=0, stamp=70_000), 1_000_000)
    heard.hear(client("A", 1_001, stamp=600))
    later = heard.answer(server("A", ack=0, stamp=1), 1_000_250)
    assert dict(tcp_of(first).options[:1])["Timestamp"] == (70_000, 555)
    assert dict(tcp_of(later).options[:1])["Timestamp"] == (70_250, 600)
    assert valid(first)
    assert valid(later)


def test_what_is_no_tcp_is_sent_as_it_was_recorded():
    frame = bytes(ETHER / BACK / UDP(sport=53, dport=9) / b"x")
    heard = Heard()
    heard.hear(frame)
    assert heard.answer(frame, 0) == frame
    assert tcp_of(frame) is None
    assert parsed(frame).src == "02:00:00:00:00:0a"
