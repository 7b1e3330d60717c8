import numpy as np
import pytest
from dnslib import QTYPE, RR, A, DNSQuestion, DNSRecord
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP, TCP, UDP, fragment, in4_chksum
from scapy.layers.inet6 import ICMPv6EchoRequest, IPv6
from scapy.layers.l2 import ARP, Dot1Q, Ether

from lab.replaying.addressing import mapped
from lab.replaying.rewriting import LOCAL, REMOTE, Rewriting
from lab.replaying.source import read_source

ETHER = Ether(src="02:00:00:00:00:0a", dst="02:00:00:00:00:01")
FOUR = {"10.88.3.4": "10.50.0.7", "198.18.0.9": "203.0.113.9"}
SIX = {"2001:db8::4": "2001:db8:77::4"}


def rewritten(path, changes, macs=(), **more):
    source = read_source(path, **more)
    wishes = [f"{old}={new}" for old, new in changes.items() if old in source.addresses]
    block = Rewriting(mapped(source.addresses, wishes, {}), dict(macs)).block(source)
    return [bytes(block.buffer[begin : begin + size]) for begin, size in zip(block.begin, block.size, strict=True)]


def frames(payload=b"hello", **more):
    there = IP(src="10.88.3.4", dst="198.18.0.9", **more)
    return [
        ETHER / there / TCP(sport=40_000, dport=443, flags="PA", options=[("Timestamp", (5, 6))]) / payload,
        ETHER / there / UDP(sport=40_000, dport=4433) / payload,
        ETHER / Dot1Q(vlan=7) / there / TCP(sport=40_000, dport=80) / payload,
        ETHER / there / ICMP() / payload,
        ETHER / IPv6(src="2001:db8::4", dst="2001:db8::9") / TCP(sport=1, dport=2) / payload,
        ETHER / IPv6(src="2001:db8::4", dst="2001:db8::9") / ICMPv6EchoRequest(data=payload),
    ]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(payload=st.binary(max_size=40), wrong=st.booleans())
def test_addresses_change_checksums_are_valid_and_the_rest_is_left_alone(write_pcap, valid, payload, wrong):
    made = frames(payload)
    if wrong:  # as captured before the hardware had summed them
        made[0][TCP].chksum = made[1][UDP].chksum = 0x1234
    out = rewritten(write_pcap(made), FOUR | SIX)
    assert all(map(valid, out))
    parsed = [Ether(frame) for frame in out]
    assert [one[IP].src for one in parsed[:4]] == ["10.50.0.7"] * 4
    assert [one[IP].dst for one in parsed[:4]] == ["203.0.113.9"] * 4
    assert [one[IPv6].src for one in parsed[4:]] == ["2001:db8:77::4"] * 2
    assert bytes(parsed[0][TCP].payload) == payload
    assert parsed[0][TCP].options == [("Timestamp", (5, 6)), ("EOL", None)] or parsed[0][TCP].options[0] == (
        "Timestamp",
        (5, 6),
    )
    again = bytes(Ether(bytes(made[5]))[IPv6])
    assert len(again) == len(bytes(parsed[5][IPv6]))


def test_without_a_change_frames_are_byte_identical(write_pcap):
    made = [bytes(frame) for frame in frames()]
    assert rewritten(write_pcap(made), {}) == made


def test_icmp6_is_summed_over_its_new_addresses(write_pcap):
    out = Ether(rewritten(write_pcap(frames()[5:]), SIX)[0])
    said = out[ICMPv6EchoRequest].cksum
    del out[ICMPv6EchoRequest].cksum
    assert Ether(bytes(out))[ICMPv6EchoRequest].cksum == said


def test_padding_behind_a_datagram_is_not_summed(write_pcap, valid):
    frame = bytes(ETHER / IP(src="10.88.3.4", dst="198.18.0.9") / UDP(sport=1, dport=2) / b"abc")
    out = rewritten(write_pcap([frame + b"\xff" * (60 - len(frame))]), FOUR)[0]
    assert len(out) == 60
    assert valid(out)


def test_a_datagram_without_a_checksum_stays_so(write_pcap):
    frame = ETHER / IP(src="10.88.3.4", dst="198.18.0.9") / UDP(sport=1, dport=2, chksum=0) / b"abc"
    assert Ether(rewritten(write_pcap([frame]), FOUR)[0])[UDP].chksum == 0


@pytest.mark.parametrize("above", [UDP(sport=40_000, dport=4433), TCP(sport=40_000, dport=443)])
def test_fragments_put_together_again_are_valid(write_pcap, valid, above):
    whole = IP(src="10.88.3.4", dst="198.18.0.9", id=77) / above / bytes(range(256)) * 1
    parts = [ETHER / part for part in fragment(whole, fragsize=104)]
    assert len(parts) > 2
    out = [Ether(frame)[IP] for frame in rewritten(write_pcap(parts), FOUR)]
    assert {part.src for part in out} == {"10.50.0.7"}
    joined = IP(src=out[0].src, dst=out[0].dst, id=77, proto=out[0].proto) / b"".join(
        bytes(part.payload) for part in out
    )
    assert valid(bytes(ETHER / joined))


def test_arp_says_the_new_addresses(write_pcap):
    frame = ETHER / ARP(op=1, hwsrc="02:00:00:00:00:0a", psrc="10.88.3.4", pdst="198.18.0.9")
    out = Ether(rewritten(write_pcap([frame]), FOUR, {"02:00:00:00:00:0a": "02:99:00:00:00:01"})[0])
    assert (out[ARP].psrc, out[ARP].pdst, out[ARP].hwsrc, out.src) == (
        "10.50.0.7",
        "203.0.113.9",
        "02:99:00:00:00:01",
        "02:99:00:00:00:01",
    )


@pytest.mark.parametrize("tcp", [False, True])
def test_dns_answers_name_the_addresses_that_are_sent(write_pcap, valid, tcp):
    message = DNSRecord(q=DNSQuestion("a.garden.example"))
    message.add_answer(RR("a.garden.example", QTYPE.A, rdata=A("198.18.0.9")))
    said = bytes(message.pack())
    above = (
        TCP(sport=53, dport=4000) / (len(said).to_bytes(2, "big") + said) if tcp else UDP(sport=53, dport=4000) / said
    )
    frames_ = [
        ETHER / IP(src="10.88.0.1", dst="10.88.3.4") / above,
        ETHER / IP(src="10.88.3.4", dst="198.18.0.9") / UDP(sport=1, dport=2),
    ]
    out = rewritten(write_pcap(frames_), FOUR)[0]
    assert valid(out)
    assert bytes([203, 0, 113, 9]) in out
    assert bytes([198, 18, 0, 9]) not in out


def test_macs_change_on_both_ends(write_pcap):
    out = Ether(rewritten(write_pcap(frames()[:1]), {}, {"02:00:00:00:00:01": "02:99:00:00:00:02"})[0])
    assert (out.src, out.dst) == ("02:00:00:00:00:0a", "02:99:00:00:00:02")


def test_macs_may_change_places(write_pcap):
    both = {"02:00:00:00:00:01": "02:00:00:00:00:0a", "02:00:00:00:00:0a": "02:00:00:00:00:01"}
    out = Ether(rewritten(write_pcap(frames()[:1]), {}, both)[0])
    assert (out.src, out.dst) == ("02:00:00:00:00:01", "02:00:00:00:00:0a")


def test_bare_ip_gets_an_ethernet_header(write_pcap, valid):
    bare = [
        IP(src="10.88.3.4", dst="198.18.0.9") / UDP(sport=1, dport=2) / b"abc",
        IP(src="198.18.0.9", dst="10.88.3.4") / UDP(sport=2, dport=1) / b"abc",
        IPv6(src="2001:db8::4", dst="2001:db8::9") / UDP(sport=1, dport=2),
    ]
    out = rewritten(write_pcap(bare, link=101), FOUR)
    assert all(map(valid, out))
    assert [(Ether(one).src, Ether(one).dst) for one in out] == [(LOCAL, REMOTE), (REMOTE, LOCAL), (LOCAL, REMOTE)]
    assert Ether(out[2])[IPv6].dst == "2001:db8::9"


def test_a_cut_frame_is_filled_up_to_what_it_was(write_pcap):
    frame = bytes(frames()[1])
    assert rewritten(write_pcap([frame], cut=3), {}, allow_partial=True)[0][:-3][42:] == frame[42:-3]
    assert np.frombuffer(rewritten(write_pcap([frame], cut=3), {}, allow_partial=True)[0], np.uint8).size == len(frame)


def test_arp_behind_a_vlan_tag_is_rewritten_too(write_pcap):
    frame = ETHER / Dot1Q(vlan=5) / ARP(op=1, hwsrc="02:00:00:00:00:0a", psrc="10.88.3.4", pdst="198.18.0.9")
    out = Ether(rewritten(write_pcap([frame]), FOUR, {"02:00:00:00:00:0a": "02:99:00:00:00:01"})[0])
    assert (out[ARP].psrc, out[ARP].pdst, out[ARP].hwsrc) == ("10.50.0.7", "203.0.113.9", "02:99:00:00:00:01")


def test_a_datagram_is_summed_as_far_as_its_own_length(write_pcap):
    packet = IP(src="10.88.3.4", dst="198.18.0.9") / UDP(sport=1, dport=2, len=13) / b"helloTRAILER"
    out = Ether(rewritten(write_pcap([ETHER / packet]), FOUR)[0])[IP]
    said, whole = out[UDP].chksum, bytes(out.payload)
    assert whole[8:] == b"helloTRAILER"
    over = IP(src=out.src, dst=out.dst, ihl=5, len=20 + 13)  # the pseudo header says the datagram's own length
    assert in4_chksum(17, over, whole[:6] + bytes(2) + whole[8:13]) == said
