"""Frames and capture files built byte by byte, independent of the reader's code."""

import struct
from dataclasses import dataclass
from pathlib import Path

import pytest

from detector.capture import Capture, read_capture

START_US = 1_772_409_600_000_000
SYN, SYN_ACK, ACK, PSH, FIN, RST = 0x02, 0x12, 0x10, 0x18, 0x11, 0x04
CLIENT, SERVER = "10.88.0.1", "198.18.0.9"


@dataclass(frozen=True)
class Packet:
    """One frame of a capture: microseconds since START_US, bytes, and its length on the wire (None: the same)."""

    at_us: int
    frame: bytes
    wire: int | None = None


class Wire:
    """Builders of frames and files, and a reader that goes through a real file."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "capture"

    def write(self, data: bytes) -> Path:
        self.path.write_bytes(data)
        return self.path

    def read(self, data: bytes, *, allow_partial: bool = False) -> Capture:
        return read_capture(self.write(data), allow_partial=allow_partial)

    def flows(self, packets: list[Packet]) -> list[dict]:
        return self.read(self.pcap(packets)).flows.to_pylist()

    # frames

    @staticmethod
    def address(text: str) -> bytes:
        return bytes(map(int, text.split(".")))

    def ipv4(self, src, dst, proto, payload, *, fragment=0, options=b"", total=None) -> bytes:
        length = 20 + len(options) + len(payload) if total is None else total
        head = struct.pack(">BBHHHBBH", 0x45 + len(options) // 4, 0, length, 7, fragment, 64, proto, 0)
        return head + self.address(src) + self.address(dst) + options + payload

    @staticmethod
    def ipv6(src: bytes, dst: bytes, proto: int, payload: bytes, *, length=None) -> bytes:
        size = len(payload) if length is None else length
        return struct.pack(">IHBB", 0x6000_0000, size, proto, 64) + src + dst + payload

    @staticmethod
    def ether(packet: bytes, kind=0x0800, tags: tuple[int, ...] = ()) -> bytes:
        stack = b"".join(struct.pack(">HH", tag, 5) for tag in tags)
        return bytes.fromhex("020000000001020000000002") + stack + struct.pack(">H", kind) + packet

    @staticmethod
    def tcp_segment(sport, dport, seq, flags, payload=b"", *, words=5) -> bytes:
        head = struct.pack(">HHIIBBHHH", sport, dport, seq % 2**32, 0, words << 4, flags, 64_000, 0, 0)
        return head + payload

    @staticmethod
    def udp_datagram(sport, dport, payload, *, length=None) -> bytes:
        return struct.pack(">HHHH", sport, dport, 8 + len(payload) if length is None else length, 0) + payload

    def tcp(self, at_us, seq, flags, payload=b"", *, down=False, port=40_000, server_port=443) -> Packet:
        ends = (SERVER, CLIENT) if down else (CLIENT, SERVER)
        ports = (server_port, port) if down else (port, server_port)
        return Packet(at_us, self.ether(self.ipv4(*ends, 6, self.tcp_segment(*ports, seq, flags, payload))))

    def udp(self, at_us, payload, *, down=False, port=40_000, server_port=53) -> Packet:
        ends = (SERVER, CLIENT) if down else (CLIENT, SERVER)
        ports = (server_port, port) if down else (port, server_port)
        return Packet(at_us, self.ether(self.ipv4(*ends, 17, self.udp_datagram(*ports, payload))))

    def talk(self, *, seq=1_000, answer_seq=5_000, up=b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n", down=b"x" * 300):
        """A whole TCP flow: handshake, request, answer in three segments, FIN."""
        third = len(down) // 3
        parts = [down[:third], down[third : 2 * third], down[2 * third :]]
        packets = [self.tcp(0, seq, SYN), self.tcp(100, answer_seq, SYN_ACK, down=True), self.tcp(200, seq + 1, ACK)]
        packets.append(self.tcp(300, seq + 1, PSH, up))
        place = answer_seq + 1
        for number, part in enumerate(parts):
            packets.append(self.tcp(400 + number, place, PSH, part, down=True))
            place += len(part)
        packets.append(self.tcp(500, seq + 1 + len(up), FIN))
        packets.append(self.tcp(600, place, FIN, down=True))
        return packets

    @staticmethod
    def record(kind: int, size: int, first=b"") -> bytes:
        """A TLS record whose body of ``size`` bytes begins with ``first``."""
        return bytes([kind, 3, 3]) + size.to_bytes(2, "big") + first + b"\xa5" * (size - len(first))

    def conversation(self, messages, *, cut=None, fin=True) -> list[Packet]:
        """A TCP flow of (microseconds, direction ``>`` or ``<``, bytes); ``cut`` gives the pieces of a message."""
        packets = [self.tcp(0, 999, SYN), self.tcp(1, 4_999, SYN_ACK, down=True)]
        at = {">": 1_000, "<": 5_000}
        for when, way, said in messages:
            for number, part in enumerate(cut(said) if cut else [said]):
                packets.append(self.tcp(when + number, at[way], PSH, part, down=way == "<"))
                at[way] += len(part)
        if fin:
            last = packets[-1].at_us + 1
            packets += [self.tcp(last, at[">"], FIN), self.tcp(last + 1, at["<"], FIN, down=True)]
        return packets

    def sizes(self, packets: list[Packet]) -> list[tuple[int, int]]:
        """Bytes up and down of every exchange."""
        rows = self.read(self.pcap(packets)).exchanges.to_pylist()
        return [(row["bytes_up"], row["bytes_down"]) for row in rows]

    # files

    @staticmethod
    def pcap(packets: list[Packet], *, order="<", nano=False, link=1, snaplen=262_144) -> bytes:
        magic = 0xA1B2_3C4D if nano else 0xA1B2_C3D4
        out = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, snaplen, link)]
        for packet in packets:
            seconds, rest = divmod(START_US + packet.at_us, 1_000_000)
            wire = len(packet.frame) if packet.wire is None else packet.wire
            out.append(struct.pack(order + "IIII", seconds, rest * 1_000 if nano else rest, len(packet.frame), wire))
            out.append(packet.frame)
        return b"".join(out)

    @staticmethod
    def block(kind: int, body: bytes, order="<") -> bytes:
        body += bytes(-len(body) % 4)
        length = struct.pack(order + "I", len(body) + 12)
        return struct.pack(order + "I", kind) + length + body + length

    @classmethod
    def section(cls, order="<") -> bytes:
        return cls.block(0x0A0D_0D0A, struct.pack(order + "IHHq", 0x1A2B_3C4D, 1, 0, -1), order)

    @classmethod
    def interface(cls, order="<", *, link=1, options=b"", snaplen=0) -> bytes:
        return cls.block(1, struct.pack(order + "HHI", link, 0, snaplen) + options, order)

    @classmethod
    def enhanced(cls, packet: Packet, order="<", *, interface=0, ticks=None) -> bytes:
        when = START_US + packet.at_us if ticks is None else ticks
        wire = len(packet.frame) if packet.wire is None else packet.wire
        head = struct.pack(order + "IIIII", interface, when >> 32, when & 0xFFFF_FFFF, len(packet.frame), wire)
        return cls.block(6, head + packet.frame, order)

    @classmethod
    def pcapng(cls, packets: list[Packet], order="<", *, link=1) -> bytes:
        blocks = [cls.enhanced(packet, order) for packet in packets]
        return b"".join([cls.section(order), cls.interface(order, link=link), *blocks])


@pytest.fixture(scope="session")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Wire:
    return Wire(tmp_path_factory.mktemp("capture"))


@pytest.fixture(scope="session")
def real_captures() -> list[Path]:
    """The real captures beside the repository; skips, saying so, where they are absent."""
    folder = Path(__file__).resolve().parents[4] / "shared" / "data" / "captures"
    found = sorted(path for path in folder.glob("*/*") if path.suffix in (".pcap", ".pcapng"))
    if not found:
        pytest.skip("no real captures in ../shared/data/captures")
    return found
