"""A recording by hand, and captures of frames that scapy builds."""

from __future__ import annotations

import struct

import pytest

from lab.stages.wire import play


def pcap(path, frames, *, link=1, step_us=1_000, cut=0):
    """Writes frames, each so many microseconds after the one before."""
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, link)
    parts = [head]
    for number, frame in enumerate(frames):
        at = 1_772_409_600_000_000 + number * step_us
        kept = frame[: len(frame) - cut]
        parts.append(struct.pack("<IIII", at // 1_000_000, at % 1_000_000, len(kept), len(frame)) + kept)
    path.write_bytes(b"".join(parts))
    return path


def frames_of(path):
    """The frames of a classic pcap."""
    data, place, found = path.read_bytes(), 24, []
    while place < len(data):
        size = struct.unpack_from("<I", data, place + 8)[0]
        found.append(data[place + 16 : place + 16 + size])
        place += 16 + size
    return found


@pytest.fixture
def write_pcap(tmp_path):
    def write(frames, name="made.pcap", **more):
        return pcap(tmp_path / name, [bytes(frame) for frame in frames], **more)

    return write


@pytest.fixture
def read_frames():
    return frames_of


@pytest.fixture
def recorded(tiny, tmp_path):
    """The tiny timeline as a recording of the wire stage."""
    return play(tiny, tmp_path / "tiny")


@pytest.fixture
def valid():
    """Whether every checksum of a frame is what scapy makes of it anew."""

    def check(frame):
        from scapy.layers.inet import ICMP, IP, TCP, UDP
        from scapy.layers.inet6 import IPv6
        from scapy.layers.l2 import Ether

        assert IPv6
        said = Ether(frame)
        again = Ether(frame)
        for layer in (IP, TCP, UDP, ICMP):
            if layer in again and getattr(again[layer], "chksum", None) is not None:
                del again[layer].chksum
        made = Ether(bytes(again))
        layers = [one for one in (IP, TCP, UDP, ICMP) if one in said and not (one is UDP and said[UDP].chksum == 0)]
        return all(said[one].chksum == made[one].chksum for one in layers)

    return check
