"""Timestamps of every resolution and offset, as microseconds, without overflow."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.capture.interfaces import FAR_US, Interface, microseconds, read_interface


def option(code, value):
    return struct.pack("<HH", code, len(value)) + value + bytes(-len(value) % 4)


@pytest.mark.parametrize(
    ("resolution", "ticks"),
    [
        (0, 1_772_409_600),
        (3, 1_772_409_600_250),
        (6, 1_772_409_600_250_000),
        (9, 1_772_409_600_250_000_999),
        (0x8A, 1_772_409_600 << 10 | 256),
    ],
)
def test_resolution_of_a_file(wire, resolution, ticks):
    data = wire.section() + wire.interface(options=option(9, bytes([resolution])) + option(0, b""))
    found = wire.read(data + wire.enhanced(wire.udp(0, b"x"), ticks=ticks))
    assert found.stats.first == 1_772_409_600_000_000 + (250_000 if resolution else 0)


def test_offset_and_missing_end_of_options(wire):
    data = wire.section() + wire.interface(options=option(2, b"wlan0") + option(14, struct.pack("<q", 1_000)))
    found = wire.read(data + wire.enhanced(wire.udp(0, b"x"), ticks=5))
    assert found.stats.first == 1_000_000_005


def test_options_of_the_wrong_size_say_nothing():
    head = struct.pack("<IIHHI", 1, 0, 1, 0, 0)
    assert read_interface(head + option(9, b"\x09\x09") + bytes(4), "<").resolution == 6
    assert read_interface(head + bytes(4), "<") == Interface(1, 0)


@pytest.mark.parametrize("resolution", [20, 64, 127, 0x80 + 64, 0xFF])
def test_resolutions_that_64_bits_cannot_hold_are_refused(resolution):
    head = struct.pack("<IIHHI", 1, 0, 1, 0, 0)
    with pytest.raises(ValueError, match="resolution"):
        read_interface(head + option(9, bytes([resolution])) + bytes(4), "<")


@given(
    ticks=st.integers(0, 2**64 - 1),
    resolution=st.one_of(st.integers(0, 19), st.integers(0x80, 0x80 + 63)),
    offset_s=st.integers(-(2**63), 2**63 - 1),
)
def test_microseconds_are_those_of_exact_arithmetic(ticks, resolution, offset_s):
    power = resolution & 0x7F
    units = 2**power if resolution & 0x80 else 10**power
    shift = max(-FAR_US, min(FAR_US, offset_s * 1_000_000))
    exact = max(-FAR_US, min(FAR_US, min(ticks * 1_000_000 // units, FAR_US) + shift))
    found = int(microseconds(np.array([ticks], np.uint64), resolution, offset_s)[0])
    far = ticks * 1_000_000 // units > FAR_US - 1_000_000  # cut to whole seconds
    assert abs(found - exact) <= (1_000_000 if far else 1)
