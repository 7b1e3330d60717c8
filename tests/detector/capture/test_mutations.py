"""Files cut at every byte and changed anywhere: read whole or refused, never less without a word, never a crash."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.capture import CaptureError


def three(wire):
    packets = [wire.udp(at, b"question" + bytes(at)) for at in range(3)]
    return packets, wire.pcap(packets), wire.pcapng(packets)


@pytest.mark.parametrize("form", ["pcap", "pcapng"])
def test_a_cut_at_every_byte_loses_nothing_silently(wire, form):
    packets = three(wire)[0]
    build = getattr(wire, form)
    data = build(packets)
    whole = {len(build(packets[:count])): count for count in range(4)}
    if form == "pcapng":
        whole[len(wire.section())] = 0  # a section without interfaces is complete, too
    for size in range(len(data) + 1):
        if size in whole:
            assert wire.read(data[:size]).stats.packets == whole[size]
            continue
        with pytest.raises(CaptureError) as caught:
            wire.read(data[:size])
        expected = max((count for end, count in whole.items() if end <= size), default=0)
        assert caught.value.packet == expected + 1
        assert caught.value.offset <= size
        if size >= 4:
            assert wire.read(data[:size], allow_partial=True).stats.packets == expected


def reference(data):
    """Packets of a little-endian pcap, read in the plainest way; None where it is damaged."""
    at, count = 24, 0
    while at < len(data):
        if at + 16 > len(data):
            return None
        caplen = struct.unpack_from("<I", data, at + 8)[0]
        at += 16 + caplen
        if caplen > 262_144 or at > len(data):
            return None
        count += 1
    return count


@settings(max_examples=150, deadline=None)
@given(
    changes=st.lists(st.tuples(st.integers(24, 330), st.binary(min_size=1, max_size=4)), max_size=3),
    cut=st.integers(0, 40),
)
def test_mutated_pcap_is_read_whole_or_refused(wire, changes, cut):
    data = bytearray(three(wire)[1])
    for at, value in changes:
        data[at : at + len(value)] = value
    mutated = bytes(data[: len(data) - cut])
    expected = reference(mutated)
    if expected is None:
        with pytest.raises(CaptureError):
            wire.read(mutated)
        assert wire.read(mutated, allow_partial=True).stats.partial
    else:
        assert wire.read(mutated).stats.packets == expected


@settings(max_examples=150, deadline=None)
@given(changes=st.lists(st.tuples(st.integers(0, 330), st.binary(min_size=1, max_size=4)), min_size=1, max_size=3))
def test_mutated_pcapng_is_never_a_crash(wire, changes):
    data = bytearray(three(wire)[2])
    for at, value in changes:
        data[at : at + len(value)] = value
    if data[:4] != wire.section()[:4]:
        with pytest.raises(CaptureError):
            wire.read(bytes(data), allow_partial=True)
        return
    partial = wire.read(bytes(data), allow_partial=True).stats
    assert partial.packets <= 3
    if partial.partial is None:
        assert wire.read(bytes(data)).stats == partial
    else:
        with pytest.raises(CaptureError, match=f"packet {partial.packets + 1}, "):
            wire.read(bytes(data))
