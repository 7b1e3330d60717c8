import numpy as np
import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import ARP, Dot1Q, Ether

from detector.capture import CaptureError
from detector.contract import EvidenceError
from lab.replaying.source import read_source

ETHER = Ether(src="02:00:00:00:00:0a", dst="02:00:00:00:00:01")
THERE = IP(src="10.88.3.4", dst="198.18.0.9")
BACK = IP(src="198.18.0.9", dst="10.88.3.4")


def test_frames_of_every_kind_are_rows(write_pcap):
    path = write_pcap(
        [
            ETHER / ARP(psrc="10.88.3.4", pdst="10.88.0.1"),
            ETHER / THERE / TCP(sport=40_000, dport=443, flags="S"),
            ETHER / BACK / TCP(sport=443, dport=40_000, flags="SA"),
            ETHER / Dot1Q(vlan=5) / THERE / UDP(sport=5000, dport=53) / b"x",
            ETHER / IPv6(src="2001:db8::4", dst="2001:db8::9") / UDP(sport=1, dport=2),
            ETHER / THERE / ICMP(),
            Ether(src="02:00:00:00:00:0a", dst="01:80:c2:00:00:0e", type=0x88CC) / b"lldp",
        ]
    )
    source = read_source(path)
    assert len(source) == 7
    assert source.net.tolist() == [14, 14, 14, 18, 14, 14, -1]
    assert source.transport.tolist() == [-1, 34, 34, 38, 54, -1, -1]
    assert source.asks.tolist() == [False, True, False, True, True, False, False]
    assert source.flow[1] == source.flow[2] >= 0 > source.flow[0]
    assert source.addresses[source.source[0]] == "10.88.3.4"
    assert source.addresses[source.target[0]] == "10.88.0.1"
    assert source.addresses[source.target[4]] == "2001:db8::9"
    assert source.source[6] == -1
    assert source.end[3] == 38 + 9


def test_frames_come_in_the_order_of_time(write_pcap):
    frames = [ETHER / THERE / UDP(sport=port, dport=9) for port in (1, 2, 3)]
    source = read_source(write_pcap(frames, step_us=-1_000))
    assert source.source_port.tolist() == [3, 2, 1]
    assert (np.diff(source.time) > 0).all()


def test_bare_ip_has_no_ethernet(write_pcap):
    source = read_source(write_pcap([THERE / UDP(sport=1, dport=2) / b"abc"], link=101))
    assert source.net.tolist() == [0]
    assert source.ethernet.tolist() == [False]


def test_cut_frames_are_refused_unless_told_to_go_on(write_pcap):
    path = write_pcap([ETHER / THERE / UDP(sport=1, dport=2) / b"abcdef"], cut=3)
    with pytest.raises(EvidenceError, match="1 of 1 frames cut at capture"):
        read_source(path)
    kept = read_source(path, allow_partial=True)
    assert (kept.length - kept.size).tolist() == [3]


def test_a_damaged_or_empty_capture_is_refused(write_pcap, tmp_path):
    path = write_pcap([ETHER / THERE / UDP(sport=1, dport=2) / b"abcdef"] * 2)
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(CaptureError):
        read_source(path)
    assert len(read_source(path, allow_partial=True)) == 1
    with pytest.raises(EvidenceError, match="no packet"):
        read_source(write_pcap([], name="empty.pcap"))


def test_rows_can_be_taken(write_pcap):
    source = read_source(write_pcap([ETHER / THERE / UDP(sport=port, dport=9) for port in (1, 2, 3)]))
    assert source.take(np.array([0, 2])).source_port.tolist() == [1, 3]
    assert source.take(np.array([0, 2])).addresses == source.addresses


def test_what_may_hide_addresses_is_told_from_what_has_none(write_pcap):
    def frame(kind, body=b""):
        return bytes(Ether(src="02:00:00:00:00:0a", dst="02:00:00:00:00:01", type=kind)) + body.ljust(46, b"\0")

    inside = bytes(THERE / UDP(sport=1, dport=2))
    hidden = [
        frame(0x8864, bytes.fromhex("11000001001e0021") + inside),  # PPPoE session
        frame(0x8847, bytes.fromhex("00010140") + inside),  # MPLS
        frame(0x0026, bytes.fromhex("aaaa030000000800") + inside),  # IP behind a SNAP header
        frame(0x0806, bytes.fromhex("0006")),  # ARP of IEEE 802 networks, which nobody reads here
        frame(0x0800, b"\x50"),  # no version of IP
        bytes(ETHER)[:12],
    ]
    silent = [
        frame(0x88CC),
        frame(0x890D, bytes.fromhex("020c")),  # TDLS between Wi-Fi stations, as ndpi-alexa-app has it
        frame(0x0026, bytes.fromhex("424203")),  # spanning tree
        bytes(ETHER / THERE / UDP(sport=1, dport=2)),
        bytes(ETHER / ARP(psrc="10.88.3.4", pdst="10.88.0.1")),
    ]
    assert read_source(write_pcap(hidden + silent)).opaque.tolist() == [True] * 6 + [False] * 5


def test_arp_behind_vlan_tags_is_read(write_pcap):
    asked = ARP(psrc="10.88.3.4", pdst="10.88.0.1")
    source = read_source(write_pcap([ETHER / Dot1Q(vlan=5) / asked, ETHER / Dot1Q(vlan=5) / Dot1Q(vlan=6) / asked]))
    assert source.arp.tolist() == [True, True]
    assert source.net.tolist() == [18, 22]
    assert source.addresses[source.source[1]] == "10.88.3.4"
