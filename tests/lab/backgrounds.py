"""Backgrounds built byte by byte, in any format and on any link, for tests of injection."""

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lab.injecting.heads import Heads, heads
from lab.injecting.parts import parts

START_US = 1_793_000_000_000_000  # 2026-10-26
PHONE, LAPTOP, ROUTER = "192.168.7.23", "192.168.7.40", "192.168.7.1"
PHONE_MAC, ROUTER_MAC = bytes.fromhex("3c5ab4010203"), bytes.fromhex("a42bb0c1d2e3")
LINK_HEADERS = {
    1: (ROUTER_MAC + PHONE_MAC + b"\x08\x00", PHONE_MAC + ROUTER_MAC + b"\x08\x00"),
    101: (b"", b""),
    113: tuple(
        struct.pack(">HHH", way, 1, 6) + mac + b"\0\0\x08\x00" for way, mac in ((4, PHONE_MAC), (0, ROUTER_MAC))
    ),
    276: tuple(
        struct.pack(">HHIHBB", 0x0800, 0, 3, 1, way, 6) + mac + b"\0\0"
        for way, mac in ((4, PHONE_MAC), (0, ROUTER_MAC))
    ),
}


def packed(address: str) -> bytes:
    return bytes(map(int, address.split(".")))


@dataclass
class Background:
    """Packets as (time, upward, IP bytes); ``save`` writes them."""

    packets: list[tuple[int, bool, bytes]]

    def frames(self, link: int = 1) -> list[bytes]:
        """What a capture on that link holds of them."""
        up, down = LINK_HEADERS[link]
        return [(up if upward else down) + data for _, upward, data in self.packets]

    def save(self, path: Path, form: str = "pcap", link: int = 1, snap: int = 1 << 18) -> Path:
        """The file, as pcap, nanoseconds (``nano``), big endian (``big``) or pcapng."""
        order = ">" if form == "big" else "<"
        head = struct.pack(order + "IHHiIII", 0xA1B23C4D if form == "nano" else 0xA1B2C3D4, 2, 4, 0, 0, snap, link)
        if form == "pcapng":
            head = struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28)
            head += struct.pack("<IIHHII", 1, 20, link, 0, snap, 20)
        made = [head]
        for (time, _, _), frame in zip(self.packets, self.frames(link), strict=True):
            kept = frame[:snap]
            if form == "pcapng":
                padded = kept + bytes(-len(kept) % 4)
                size = 32 + len(padded)
                made.append(struct.pack("<IIIIIII", 6, size, 0, time >> 32, time & 0xFFFFFFFF, len(kept), len(frame)))
                made += [padded, struct.pack("<I", size)]
                continue
            rest = time % 1_000_000 * (1000 if form == "nano" else 1)
            made += [struct.pack(order + "IIII", time // 1_000_000, rest, len(kept), len(frame)), kept]
        path.write_bytes(b"".join(made))
        return path


def datagram(ends, proto: int, segment: bytes, ttl: int, ident: int) -> bytes:
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(segment), ident, 0x4000, ttl, proto, 0)
    return head + packed(ends[0]) + packed(ends[1]) + segment


def segment(ports, seq, ack, flags, window, payload=b"", mss=None):
    options = struct.pack(">BBHBBBB", 2, 4, mss, 1, 3, 3, 9) if mss else b""
    size = (20 + len(options)) // 4 << 4
    return struct.pack(">HHIIBBHHH", *ports, seq, ack, size, flags, window, 0, 0) + options + payload


def talk(rng, start: int, host: str, server: str, port: int) -> list[tuple[int, bool, bytes]]:
    """A look-up, and a TCP connection of a few exchanges."""
    ttl, ident = int(rng.choice([52, 57, 117], p=[0.5, 0.3, 0.2])), [int(rng.integers(1, 60_000)) for _ in "ab"]
    zero = rng.random() < 0.3  # servers that send no IP ids
    at, out = start, []

    def say(upward, proto, data):
        nonlocal at
        at += int(rng.integers(300, 40_000))
        ident[not upward] += 1
        ends = (host, server) if upward else (server, host)
        number = 0 if zero and not upward else ident[not upward]
        out.append((at, upward, datagram(ends, proto, data, 64 if upward else ttl, number & 0xFFFF)))

    query = struct.pack(">HHHHHH", port, 0x100, 1, 0, 0, 0) + b"\x03www\x04home\x04test\0\0\x01\0\x01"
    for upward in (True, False):
        ports, ends = ((port, 53), (host, ROUTER)) if upward else ((53, port), (ROUTER, host))
        data = struct.pack(">HHHH", *ports, 8 + len(query), 0) + query
        at += 4_000
        out.append((at, upward, datagram(ends, 17, data, 64, int(rng.integers(1, 60_000)) if upward else 0)))
    say(True, 6, segment((port, 443), 1, 0, 2, 64_800, mss=1_380))
    say(False, 6, segment((443, port), 9, 2, 18, 28_960, mss=int(rng.choice([1_340, 1_380]))))
    up, down = 2, 10
    for _ in range(int(rng.integers(2, 9))):
        sizes = int(rng.integers(60, 900)), int(rng.integers(100, 1_300))
        say(True, 6, segment((port, 443), up, down, 24, int(rng.choice([131, 140, 170])), bytes(sizes[0])))
        up += sizes[0]
        say(False, 6, segment((443, port), down, up, 24, int(rng.choice([229, 501])), bytes(sizes[1])))
        down += sizes[1]
    say(True, 6, segment((port, 443), up, down, 17, 140))
    return out


def background(count: int = 150, *, host: str = PHONE, seed: int = 4, span_us: int = 3_600_000_000) -> Background:
    """A phone at home: so many connections to public servers, spread over an hour."""
    rng = np.random.default_rng(seed)
    starts = START_US + np.sort(rng.integers(0, span_us - 5_000_000, count))
    made: list[tuple[int, bool, bytes]] = []
    for number, start in enumerate(starts.tolist()):
        server = f"93.184.{number % 7}.{1 + number % 11}"
        made += talk(rng, start, host, server, 33_000 + number)
    return Background(sorted(made, key=lambda one: one[0]))


def heads_in(path: Path) -> tuple[Heads, list[bytes]]:
    """The headers of all packets of a capture, and its frames."""
    from detector.capture.network import AddressBook

    book, found, frames, before = AddressBook(), [], [], 0
    for part in parts(path, allow_partial=True):
        some = heads(part, book)
        object.__setattr__(some, "row", some.row + before)
        found.append(some)
        before += len(part)
        ends = part.records.offset + part.records.caplen.astype(np.int64)
        frames += list(part.file.spans(part.records.offset, ends))
    return Heads.joined(found), frames
