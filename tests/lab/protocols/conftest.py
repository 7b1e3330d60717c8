import contextlib
import json
import shutil
import ssl
import subprocess
from dataclasses import dataclass, field

import numpy as np
import pytest

from lab.protocols import Dialogue, Message
from lab.protocols.real_tls import LiveTls
from lab.protocols.tls import wrap


def made(rows, *, host="api.vendor.example", port=443, seed=1, start=None, agent="okhttp/4.12.0", **options):
    """A dialogue from rows of (time, up, down, delay)."""
    columns = np.array(rows, dtype=np.int64).reshape(-1, 4).T
    return Dialogue(host, port, options, agent, *columns, np.random.default_rng(seed), start)


@pytest.fixture(scope="session")
def dialogue():
    return made


@pytest.fixture(scope="session")
def capture():
    return write_capture


@pytest.fixture(scope="session")
def program():
    return found_program


@pytest.fixture
def malformed(tmp_path):
    """``malformed(talks, port)``: what tshark calls malformed or warns of in these TCP conversations."""
    return lambda talks, port: read_by_tshark(talks, port, tmp_path / "tshark.pcap")


@pytest.fixture
def anomalies(tmp_path):
    """``anomalies(talks, port)``: the types and names of Suricata's anomaly events in these TCP conversations."""
    return lambda talks, port: read_by_suricata(talks, port, tmp_path)


def found_program(name):
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def read_by_tshark(talks, port, path):
    write_talks(talks, port, path)
    fields = ("_ws.malformed", "_ws.expert.severity", "_ws.expert.message")
    command = [
        found_program("tshark"),
        "-n",
        "-osmtp.decryption:TRUE",
        "-r",
        str(path),
        "-T",
        "fields",
        "-E",
        "separator=|",
    ]
    command += [part for name in fields for part in ("-e", name)]
    rows = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(rows) > 8 * len(talks)
    return [row for row in rows if row[0] != "|" or any(int(s) >= 0x600000 for s in row.split("|")[1].split(",") if s)]


def read_by_suricata(talks, port, folder):
    write_talks(talks, port, folder / "suricata.pcap")
    words = ["-r", folder / "suricata.pcap", "-k", "none", "-S", "/dev/null", "-l", folder, "--runmode", "single"]
    subprocess.run([found_program("suricata"), *words], capture_output=True, check=True)
    events = [json.loads(line) for line in (folder / "eve.json").read_text().splitlines()]
    assert sum(event["event_type"] == "flow" for event in events) == len(talks)
    found = [event["anomaly"] for event in events if event["event_type"] == "anomaly"]
    return [(one["type"], one["event"]) for one in found]


def write_talks(talks, port, path):
    """TCP conversations one after the other, each of its own client port, from SYN to FIN."""
    from scapy.utils import wrpcap

    packets = []
    for index, talk in enumerate(talks):
        packets += tcp_packets(talk, 40_000 + index, port, fin=True)
    for index, packet in enumerate(packets):
        packet.time = 1_772_409_600 + index / 1000
    wrpcap(str(path), packets)


def write_capture(messages, path):
    """One TCP conversation, without ACKs beyond the necessary, by scapy."""
    from scapy.utils import wrpcap

    wrpcap(str(path), tcp_packets(messages, 40_000, 443, fin=False))


def tcp_packets(messages, client_port, server_port, *, fin):
    from scapy.layers.inet import IP, TCP
    from scapy.layers.l2 import Ether

    ends = {True: ("10.88.0.2", client_port), False: ("198.18.0.9", server_port)}
    sequence, packets = {True: 1, False: 1}, []

    def packet(side, flags, data=b"", start=None):
        (source, sport), (target, dport) = ends[side], ends[not side]
        seq = sequence[side] if start is None else start
        tcp = TCP(sport=sport, dport=dport, seq=seq, ack=sequence[not side] if "A" in flags else 0, flags=flags)
        packets.append(
            Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / IP(src=source, dst=target) / tcp / data
        )

    packet(True, "S", start=0)
    packet(False, "SA", start=0)
    packet(True, "A")
    for message in messages:
        for at in range(0, len(message.data), 1400):
            piece = message.data[at : at + 1400]
            packet(message.from_client, "PA", piece)
            sequence[message.from_client] += len(piece)
        packet(not message.from_client, "A")
    for side in (True, False) if fin else ():
        packet(side, "FA")
        sequence[side] += 1
    if fin:
        packet(True, "A")
    return packets


SENT = [Message(5_000_000, True, b"q" * 300), Message(5_000_040, False, b"a" * 40_000), Message(9_000_000, True, b"q")]


def wrapped(stack, host="api.vendor.example", *, alpn="http/1.1", seed=7, sent=SENT, **more):
    return list(wrap(sent, host=host, stack=stack, alpn=alpn, rng=np.random.default_rng(seed), **more))


class Cursor:
    def __init__(self, data):
        self.data, self.place = data, 0

    def take(self, size):
        assert self.place + size <= len(self.data), f"{size} bytes wanted at {self.place} of {len(self.data)}"
        self.place += size
        return self.data[self.place - size : self.place]

    def number(self, size):
        return int.from_bytes(self.take(size), "big")

    def block(self, size):
        return self.take(self.number(size))

    @property
    def left(self):
        return len(self.data) - self.place


@dataclass
class Hello:
    random: bytes = b""
    session: bytes = b""
    ciphers: bytes = b""
    kinds: list = field(default_factory=list)
    sni: str | None = None
    alpn: list = field(default_factory=list)
    shares: list = field(default_factory=list)
    size: int = 0


def records(data):
    """(type, body) of each record; the data must end with the last one."""
    cursor, found = Cursor(data), []
    while cursor.left:
        kind, version = cursor.number(1), cursor.take(2)
        assert kind in {20, 21, 22, 23}
        assert version in {b"\x03\x01", b"\x03\x03"}
        body = cursor.block(2)
        assert 0 < len(body) <= (1 << 14) + 256
        found.append((kind, body))
    return found


def handshakes(body):
    """(type, body) of each clear handshake message in a record."""
    cursor, found = Cursor(body), []
    while cursor.left:
        found.append((cursor.number(1), cursor.block(3)))
    return found


def hello(body, *, client):
    """A ClientHello's or ServerHello's body."""
    cursor, read = Cursor(body), Hello(size=len(body) + 4)
    assert cursor.take(2) == b"\x03\x03"
    read.random, read.session = cursor.take(32), cursor.block(1)
    read.ciphers = cursor.block(2) if client else cursor.take(2)
    assert cursor.block(1) == b"\0" if client else cursor.take(1) == b"\0"
    extensions = Cursor(cursor.block(2))
    assert not cursor.left
    while extensions.left:
        kind, data = extensions.number(2), Cursor(extensions.block(2))
        assert kind not in read.kinds
        read.kinds.append(kind)
        _extension(read, kind, data, client=client)
    return read


def _extension(read, kind, data, *, client):
    if kind == 0 and client:
        names = Cursor(data.block(2))
        assert names.number(1) == 0
        read.sni = names.block(2).decode("ascii")
        assert not names.left
    elif kind == 16:
        names = Cursor(data.block(2))
        while names.left:
            read.alpn.append(names.block(1).decode("ascii"))
    elif kind == 51:
        shares = Cursor(data.block(2)) if client else data
        while shares.left:
            read.shares.append((shares.number(2), shares.block(2)))
    elif kind == 21:
        assert not any(data.take(data.left))
    else:
        data.take(data.left)
    assert not data.left


def read_client(message):
    (kind, body), *rest = records(message.data)
    assert (kind, rest) == (22, [])
    ((kind, body),) = handshakes(body)
    assert kind == 1
    return hello(body, client=True)


def read_server(message):
    ((kind, body), *_) = handshakes(records(message.data)[0][1])
    assert kind == 2
    return hello(body, client=False)


def accepted(data):
    """The first flight with which OpenSSL answers a ClientHello."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = LiveTls()._new_server("api.vendor.example").wrap_bio(incoming, outgoing, server_side=True)
    incoming.write(data)
    with contextlib.suppress(ssl.SSLWantReadError):
        server.do_handshake()
    return outgoing.read()


@pytest.fixture(scope="session", name="records")
def _records():
    return records


@pytest.fixture(scope="session", name="handshakes")
def _handshakes():
    return handshakes


@pytest.fixture(scope="session", name="hello")
def _hello():
    return hello


@pytest.fixture(scope="session", name="read_client")
def _read_client():
    return read_client


@pytest.fixture(scope="session", name="read_server")
def _read_server():
    return read_server


@pytest.fixture(scope="session", name="wrapped")
def _wrapped():
    return wrapped


@pytest.fixture(scope="session", name="accepted")
def _accepted():
    return accepted
