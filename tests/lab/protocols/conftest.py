import json
import shutil
import subprocess

import numpy as np
import pytest

from lab.protocols import Dialogue


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
