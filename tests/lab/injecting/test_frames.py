"""Injected frames: valid checksums whatever was changed, the payload's bytes as they were, PCAPdroid's trailer."""

import struct
import zlib
from dataclasses import replace
from ipaddress import ip_address

import numpy as np
import pytest
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether

from detector.capture.mapped import MappedFile
from lab.injecting.frames import Ends, Frames, packed, trailed
from lab.injecting.guise import Guise
from lab.injecting.habits import Frames as Around
from lab.injecting.habits import Manner
from lab.injecting.injected import pieces, read_injected


def frames_of(path, device, *, limit=-1, source="192.168.7.9", **worn):
    injected = read_injected(path, [device])
    cut = pieces(injected.heads, np.full(len(injected.heads), limit))
    count, none = len(injected.heads), np.full(len(cut), -1)
    six = bool(injected.heads.v6.any())
    addresses = {True: ("2001:db8::99", "2001:db8::98"), False: (source, "198.18.0.77")}[six]
    ends = Ends(
        packed([addresses[not up] for up in injected.up.tolist()]),
        packed([addresses[up] for up in injected.up.tolist()]),
        injected.heads.sport,
        injected.heads.dport,
    )
    columns = {name: np.full(len(cut), worn[name]) if name in worn else none for name in Guise.__dataclass_fields__}
    time = injected.heads.time[cut.source]
    assert count
    return Frames(MappedFile(path), injected, cut, Guise(**columns), ends, time, Manner())


def parsed(frames):
    records = frames.records(0, len(frames.pieces))
    return [Ether(record[16:]) for record in records]


def sums(packet):
    """The packet's checksums, and those that scapy computes."""
    again = packet.copy()
    for layer, name in ((IP, "chksum"), (TCP, "chksum"), (UDP, "chksum")):
        if again.haslayer(layer):
            delattr(again[layer], name)
    again = Ether(bytes(again))
    return [(packet[layer].chksum, again[layer].chksum) for layer in (IP, TCP, UDP) if packet.haslayer(layer)]


@pytest.mark.parametrize("limit", [-1, 300])
def test_checksums_are_valid_and_payloads_whole(backgrounds, tmp_path, limit):
    home = backgrounds.background(10)
    path = home.save(tmp_path / "home.pcap")
    found = parsed(frames_of(path, backgrounds.PHONE, limit=limit, ttl=57, ident=4_711, window=229, scale=3, mss=1_234))
    for packet in found:
        assert all(said == computed for said, computed in sums(packet))
        assert (packet[IP].ttl, packet[IP].id) == (57, 4_711)
    tcp = [packet[TCP] for packet in found if packet.haslayer(TCP)]
    assert {packet.window for packet in tcp} == {229}
    options = [dict(one for one in packet.options if one[1]) for packet in tcp if packet.flags.S]
    assert {(one["MSS"], one["WScale"]) for one in options} == {(1_234, 3)}
    wanted = b"".join(data[20:][(data[32] >> 4) * 4 :] for _, up, data in home.packets if up and data[9] == 6)
    sent = [packet for packet in found if packet.haslayer(TCP) and packet[IP].src == "192.168.7.9"]
    assert (
        b"".join(bytes(packet[TCP].payload)[: packet[IP].len - 20 - packet[TCP].dataofs * 4] for packet in sent)
        == wanted
    )


def test_pieces_are_numbered_on_and_pushed_at_the_end(backgrounds, tmp_path):
    path = backgrounds.background(10).save(tmp_path / "home.pcap")
    frames = frames_of(path, backgrounds.PHONE, limit=300)
    found, cut = parsed(frames), frames.pieces
    row = int(np.flatnonzero(cut.begin > 0)[0])
    before, after = found[row - 1][TCP], found[row][TCP]
    assert after.seq == before.seq + 300
    assert not before.flags.P
    assert bool(cut.last[row]) == after.flags.P


def test_ipv6_is_carried_too(tmp_path):
    from scapy.utils import wrpcap

    ends = {"src": "2001:db8::1", "dst": "2001:db8::2"}
    said = [TCP(sport=40_000, dport=443, flags="PA") / bytes(50), UDP(sport=50_000, dport=443) / bytes(7)]
    wrpcap(str(tmp_path / "x.pcap"), [Ether(src="02:00:00:00:00:01") / IPv6(**ends) / one for one in said])
    tcp, udp = parsed(frames_of(tmp_path / "x.pcap", "2001:db8::1", ttl=61))
    for packet in (tcp, udp):
        assert (packet[IPv6].src, packet[IPv6].dst, packet[IPv6].hlim) == ("2001:db8::99", "2001:db8::98", 61)
        assert all(said == computed for said, computed in sums(packet))
    assert tcp[IPv6].plen == 70


def test_a_group_keeps_its_ttl_and_has_its_mac(backgrounds, tmp_path):
    ask = backgrounds.datagram((backgrounds.PHONE, "224.0.0.251"), 17, bytes.fromhex("14e914e900080000"), 255, 1)
    path = backgrounds.Background([(1, True, ask)]).save(tmp_path / "x.pcap")
    frames = frames_of(path, backgrounds.PHONE, ttl=64)
    frames = replace(frames, ends=replace(frames.ends, target=packed(["224.0.0.251"])))
    (packet,) = parsed(frames)
    assert (packet.dst, packet[IP].ttl) == ("01:00:5e:00:00:fb", 255)


def test_answers_say_the_new_address(backgrounds, tmp_path):
    old, new = (b"\0\4" + ip_address(text).packed for text in ("198.18.0.9", "198.18.44.1"))
    answer = struct.pack(">HHHH", 53, 40_000, 8 + 20 + 6, 0) + bytes(20) + old
    data = backgrounds.datagram(("198.18.0.1", backgrounds.PHONE), 17, answer, 64, 1)
    path = backgrounds.Background([(1, False, data)]).save(tmp_path / "x.pcap")
    (packet,) = parsed(replace(frames_of(path, backgrounds.PHONE), answers={old: new}))
    assert bytes(packet[UDP])[-6:] == new
    assert all(said == computed for said, computed in sums(packet))


def test_frames_are_filled_or_trailed_as_the_capture_does(backgrounds, tmp_path):
    path = backgrounds.background(3).save(tmp_path / "home.pcap")
    frames = frames_of(path, backgrounds.PHONE)
    for around in frames.manner.frames:
        around.shortest = 60
    assert min(len(record) - 16 for record in frames.records(0, 20)) == 60
    manner = Manner(frames=(Around(frames=9, trailers=9), Around()))
    owners = ((10_123, "My App"),) * len(frames.injected.heads)
    for record in replace(frames, manner=manner, owners=owners).records(0, 20):
        frame = record[16:]
        assert frame[-32:-4] == bytes.fromhex("010720210000278b") + b"My App".ljust(20, b"\0")
        assert zlib.crc32(frame[:-4]) == int.from_bytes(frame[-4:], "little")
        assert len(frame) % 4 == 0


def test_the_trailer_is_pcapdroids():
    """The reference frame that was computed from its source (pcap_dump.c)."""
    plain = bytes.fromhex(
        "00000000000000000000000008004500002100014000401100000a00020f0a0002029c400035000d000068656c6c6f"
    )
    said = "00010720210000278b4d79204170700000000000000000000000000000d2930d53"
    assert trailed(plain, 10_123, "My App") == plain + bytes.fromhex(said)
