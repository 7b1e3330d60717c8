from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import ARP, Dot1Q, Ether

from lab.replaying.sockets_of import stamped, talk_of

ETHER = Ether(src="02:00:00:00:00:0a", dst="02:00:00:00:00:01")
THERE, BACK = IP(src="10.88.3.4", dst="198.18.0.9"), IP(src="198.18.0.9", dst="10.88.3.4")


def test_both_directions_are_told_apart_and_belong_together():
    there = talk_of(bytes(ETHER / THERE / TCP(sport=1, dport=2)))
    back = talk_of(bytes(ETHER / BACK / TCP(sport=2, dport=1)))
    assert (there.source, there.target) == (back.target, back.source)
    assert there.sockets != back.sockets
    assert there.source == bytes([10, 88, 3, 4, 0, 1])


def test_the_transport_begins_behind_tags_and_options():
    assert talk_of(bytes(ETHER / Dot1Q() / Dot1Q() / THERE / UDP())).at == 14 + 8 + 20
    assert talk_of(bytes(ETHER / IP(src="10.88.3.4", options=b"\x01" * 4) / UDP())).at == 14 + 24
    assert talk_of(bytes(ETHER / IPv6() / UDP())).at == 14 + 40


def test_what_has_no_sockets_has_none():
    for frame in (ETHER / ARP(), ETHER / THERE / ICMP(), ETHER / IP(flags="MF") / UDP(), ETHER):
        assert talk_of(bytes(frame)) is None


def test_time_stamps_are_seen():
    with_stamp = bytes(ETHER / THERE / TCP(options=[("Timestamp", (1, 2))]))
    without = bytes(ETHER / THERE / TCP() / b"\x08\x0a")
    assert stamped(with_stamp, talk_of(with_stamp))
    assert not stamped(without, talk_of(without))


@given(st.binary(max_size=80))
def test_anything_at_all_raises_nothing(frame):
    talk = talk_of(frame)
    assert talk is None or (talk.at + 8 <= len(frame) and stamped(frame, talk) in {True, False})
