"""Checksums against the definition, and the header bytes that scapy did not write."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Ether
from scapy.utils import RawPcapReader

from lab.stages.frames import SNAPLEN, file_header, payload_sums
from lab.stages.link import ALIGN, MSS_SEEN
from lab.stages.wire import play


def reference(data: bytes) -> int:
    """RFC 1071 section 4.1, word by word, little endian."""
    total = 0
    for place in range(0, len(data), 2):
        total += int.from_bytes(data[place : place + 2].ljust(2, b"\0"), "little")
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


@given(st.lists(st.binary(max_size=99), max_size=9))
def test_sums_are_those_of_the_definition(payloads):
    padded = [data + b"\0" * (-len(data) % ALIGN) for data in payloads]
    length = np.array([len(data) for data in payloads], dtype=np.int64)
    offset = np.cumsum([0, *map(len, padded)])[:-1].astype(np.int64)
    sums = payload_sums(np.frombuffer(b"".join([*padded, bytes(ALIGN)]), dtype=np.uint8), offset, length)
    assert sums.tolist() == [reference(data) for data in payloads]


def test_sums_do_not_need_ascending_offsets():
    data = np.append(np.arange(1, 33, dtype=np.uint8), np.zeros(ALIGN, dtype=np.uint8))
    sums = payload_sums(data, np.array([16, 0, 0]), np.array([16, 8, 0]))
    assert sums.tolist() == [reference(bytes(data[16:32])), reference(bytes(data[:8])), 0]


def test_a_sum_of_all_ones_folds_without_loss():
    data = np.append(np.full(1 << 16, 0xFF, dtype=np.uint8), np.zeros(ALIGN, dtype=np.uint8))
    assert payload_sums(data, np.array([0]), np.array([1 << 16])).tolist() == [0xFFFF]


def test_segment_sizes_keep_pieces_aligned():
    assert all(size % ALIGN == 0 for size in MSS_SEEN)


def test_headers_say_what_the_link_says(tiny, tmp_path):
    capture = play(tiny, tmp_path / "rec") / "telemetry/capture.pcap"
    with RawPcapReader(str(capture)) as reader:
        packets = [Ether(raw) for raw, _ in reader]
    syns = [packet for packet in packets if TCP in packet and packet[TCP].flags == "S"]
    assert len(syns) == 5
    mine = [packet for packet in packets if packet[IP].src == "10.88.3.4"]
    assert {packet[Ether].src for packet in mine} == {"02:11:22:33:44:55"}
    assert {packet[IP].ttl for packet in mine} == {64}
    assert {packet[Ether].dst for packet in mine if packet[IP].dst.startswith("198.")} == {"02:aa:bb:cc:dd:ee"}
    (neighbour,) = {packet[Ether].dst for packet in mine if packet[IP].dst == "10.88.9.9"}
    assert neighbour not in {"02:aa:bb:cc:dd:ee", "02:11:22:33:44:55"}
    for host in {packet[IP].src for packet in packets} - {"10.88.3.4", "10.88.3.5"}:
        (ttl,) = {packet[IP].ttl for packet in packets if packet[IP].src == host}
        assert ttl <= 250
    assert dict(syns[0][TCP].options).keys() == {"MSS", "NOP", "SAckOK", "WScale"}
    assert all(packet[IP].flags == "DF" for packet in packets)


def test_file_header_is_classic_microseconds_ethernet():
    assert file_header() == bytes.fromhex("d4c3b2a1020004000000000000000000") + SNAPLEN.to_bytes(4, "little") + bytes(
        [1, 0, 0, 0]
    )


@pytest.mark.parametrize("conversations", [0, 3])
def test_datagram_checksum_of_zero_is_sent_as_all_ones(timeline_of, talk, tmp_path, conversations):
    from lab.behaviours import Speech

    talks = [talk([(0, 10, 10, 0)], start=i, speech=Speech("datagram", port=99)) for i in range(conversations)]
    capture = play(timeline_of(talks), tmp_path / "rec") / "telemetry/capture.pcap"
    with RawPcapReader(str(capture)) as reader:
        checks = [Ether(raw).payload.payload.chksum for raw, _ in reader]
    assert 0 not in checks
    assert len(checks) == 2 * conversations


@pytest.mark.parametrize(("address", "ttl"), [("224.0.0.251", 255), ("239.255.255.250", 1), ("198.18.7.9", 64)])
def test_what_goes_to_a_group_lives_as_long_as_its_protocol_says(timeline_of, talk, tmp_path, address, ttl):
    from lab.behaviours import Speech

    timeline = timeline_of([talk([(0, 100, 0, 0)], speech=Speech("ssdp", port=1900))])
    hosts = (dataclasses.replace(timeline.hosts[0], name="", address=address), *timeline.hosts[1:])
    capture = play(dataclasses.replace(timeline, hosts=hosts), tmp_path / "rec") / "telemetry/capture.pcap"
    with RawPcapReader(str(capture)) as reader:
        (packet,) = (Ether(raw) for raw, _ in reader)
    assert (packet[IP].dst, packet[IP].ttl) == (address, ttl)
