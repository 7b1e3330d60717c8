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


def write_capture(messages, path):
    """One TCP conversation, without ACKs beyond the necessary, by scapy."""
    from scapy.layers.inet import IP, TCP
    from scapy.layers.l2 import Ether
    from scapy.utils import wrpcap

    ends, sequence, packets = {True: ("10.88.0.2", 40_000), False: ("198.18.0.9", 443)}, {True: 1, False: 1}, []

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
    wrpcap(str(path), packets)
