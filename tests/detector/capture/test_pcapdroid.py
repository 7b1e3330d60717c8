"""PCAPdroid's marks: trailers, comments and custom blocks, byte by byte as its sources write them."""

import struct
import zlib

import pytest

from detector.capture.pcapdroid import App

#: Made from the layout of pcap_dump.h, with zlib's CRC-32: an IPv4/UDP packet of uid 10123, "My App".
TRAILED = bytes.fromhex(
    "00000000000000000000000008004500002100014000401100000a00020f0a0002029c400035000d000068656c6c6f00010720210000278b"
    "4d79204170700000000000000000000000000000d2930d53"
)
#: The custom block that describes uid 10123.
MAP = bytes.fromhex("ad0b000030000000bcf40000010001008b2700000f06636f6d2e6578616d706c652e6170704d79204170700030000000")
IP = TRAILED[14:47]


def pcap(*frames, link=1):
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, link)
    return head + b"".join(struct.pack("<IIII", 100 + k, 0, len(f), len(f)) + f for k, f in enumerate(frames))


def trailed(packet, uid):
    frame = bytes(12) + b"\x08\x00" + packet
    frame += bytes(-len(frame) % 4) + struct.pack(">Ii20s", 0x01072021, uid, b"My App")
    return frame + struct.pack("<I", zlib.crc32(frame))


def block(kind, body):
    size = 12 + len(body)
    return struct.pack("<II", kind, size) + body + struct.pack("<I", size)


def pcapng(*blocks):
    section = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
    return section + block(1, struct.pack("<HHI", 101, 0, 65535)) + b"".join(blocks)


def packet(options=b"", at=100):
    stamp = at * 1_000_000
    body = struct.pack("<IIIII", 0, stamp >> 32, stamp & 0xFFFFFFFF, len(IP), len(IP)) + IP + bytes(-len(IP) % 4)
    return block(6, body + options)


def comment(uid):
    text = f"u-{uid}".encode()
    return struct.pack("<HH", 1, len(text)) + text + bytes(-len(text) % 4)


FLAGS = struct.pack("<HHI", 2, 4, 2)
END = bytes(4)


def test_the_reference_frame_is_what_the_layout_says():
    assert trailed(IP, 10123) == TRAILED


def test_a_trailer_tells_the_uid_and_is_no_payload(wire):
    found = wire.read(pcap(TRAILED))
    assert found.flows["bytes_up"].to_pylist() == [5]
    assert found.owners.flows.to_pylist() == [{"flow": 0, "uid": 10123}]
    assert found.owners.apps == {}


def test_unknown_uids_and_foreign_trailers_tell_nothing(wire):
    assert wire.read(pcap(trailed(IP, -1))).owners is None
    assert wire.read(pcap(bytes(12) + b"\x08\x00" + IP + bytes(32))).owners is None


def test_an_app_that_is_known_late_is_known(wire):
    found = wire.read(pcap(*[trailed(IP, -1)] * 300, *[TRAILED] * 300))  # a phone's own packets come first
    assert found.owners.flows.to_pylist() == [{"flow": 0, "uid": 10123}]


def test_a_record_without_its_trailer_keeps_its_flow(wire):
    found = wire.read(pcap(IP, TRAILED))  # PCAPdroid leaves Ethernet and trailer away beyond the snap length
    assert found.owners.flows.to_pylist() == [{"flow": 0, "uid": 10123}]
    assert found.flows["packets_up"].to_pylist() == [2]


@pytest.mark.parametrize("options", [comment(10123), comment(10123) + END, FLAGS + comment(10123) + END])
def test_a_comment_tells_the_uid_and_a_block_the_app(wire, options):
    found = wire.read(pcapng(MAP, packet(options)))
    assert found.owners.flows.to_pylist() == [{"flow": 0, "uid": 10123}]
    assert found.owners.apps == {10123: ("com.example.app", "My App")}


@pytest.mark.parametrize(
    "options", [comment(10124), comment(-1), FLAGS + END, b"", struct.pack("<HH", 1, 3) + b"abc\0"]
)
def test_a_comment_without_its_block_or_of_others_tells_nothing(wire, options):
    assert wire.read(pcapng(MAP, packet(options), packet(options, 101))).owners is None


def test_blocks_of_others_are_passed_over(wire):
    other = bytearray(MAP)
    other[8] ^= 1
    later = bytearray(MAP)
    later[12] = 2
    found = wire.read(pcapng(bytes(other), bytes(later), MAP, packet(comment(10123))))
    assert list(found.owners.apps) == [10123]
    assert App("a", None).package == "a"
