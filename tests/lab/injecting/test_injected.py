"""A recording's packets on their way: in order of time, with their direction; what does not travel is counted."""

import numpy as np

from lab.injecting.injected import read_injected
from lab.injecting.parts import parts
from lab.recording import open_recording
from lab.truth import read_truth


def test_packets_are_in_order_and_know_who_sent_them(smoke_recording):
    devices = read_truth(open_recording(smoke_recording)).devices.values()
    found = read_injected(smoke_recording / "telemetry/capture.pcap", devices)
    assert (np.diff(found.heads.time) >= 0).all()
    assert found.left_behind == 0
    sources = np.array(found.ends(source=True))
    assert set(sources[found.up].tolist()) == set(devices)
    assert not set(sources[~found.up].tolist()) & set(devices)


def test_places_are_bytes_of_the_capture(backgrounds, tmp_path):
    path = backgrounds.background(20).save(tmp_path / "home.pcap")
    found, data = read_injected(path, [backgrounds.PHONE]), path.read_bytes()
    assert {data[place] for place in found.heads.ip.tolist()} == {0x45}
    whole = next(parts(path))
    assert found.heads.ip.tolist() == (whole.records.offset + 14).tolist()


def test_what_is_neither_tcp_nor_udp_is_left_behind(backgrounds, tmp_path):
    home = backgrounds.background(3)
    echo = backgrounds.datagram((backgrounds.PHONE, "9.9.9.9"), 1, b"\x08\0\0\0\0\0\0\0", 64, 1)
    home.packets.append((home.packets[-1][0] + 1, True, echo))
    assert read_injected(home.save(tmp_path / "x.pcap"), [backgrounds.PHONE]).left_behind == 1


def test_fragments_and_headers_too_long_are_left_behind_and_counted(tmp_path):
    from scapy.layers.inet import IP, TCP, UDP, fragment
    from scapy.layers.inet6 import IPv6, IPv6ExtHdrDestOpt, PadN
    from scapy.layers.l2 import Ether
    from scapy.utils import wrpcap

    whole = IP(src="10.88.0.2", dst="198.18.0.1") / UDP(sport=5, dport=6) / bytes(900)
    long = IPv6() / IPv6ExtHdrDestOpt(options=[PadN(optdata=bytes(90))]) / TCP(sport=5, dport=6)
    frames = [Ether() / packet for packet in (whole, *fragment(whole, 400), long)]
    wrpcap(str(tmp_path / "cut.pcap"), frames)
    found = read_injected(tmp_path / "cut.pcap", ["10.88.0.2"])
    assert found.heads.size.tolist() == [900]
    assert found.left_behind == len(frames) - 1
