"""What the wire adds to a conversation says nothing of its label: TTL, window, options, identifiers of each SYN.

The capture is read here with struct alone, so that a fault of the capture reader cannot hide a leak.
"""

from __future__ import annotations

import socket
import struct
from dataclasses import replace
from functools import cache

import numpy as np
import pyarrow.parquet as pq
import pytest

from lab.scenario import compile_scenario, suite_scenarios
from lab.stages import play

SEEDS = range(1, 4)
SYN, ACK = 0x02, 0x10


def syns(path):
    """Each SYN or SYN-ACK of a classic little-endian pcap: its 4-tuple and what a fingerprint would read."""
    data, place = path.read_bytes(), 24
    while place < len(data):
        size = struct.unpack_from("<I", data, place + 8)[0]
        packet = data[place + 16 : place + 16 + size]
        place += 16 + size
        if packet[12:14] != b"\x08\x00" or packet[23] != socket.IPPROTO_TCP or not packet[47] & SYN:
            continue
        source, target = (socket.inet_ntoa(packet[at : at + 4]) for at in (26, 30))
        ports = struct.unpack_from(">HH", packet, 34)
        answer = bool(packet[47] & ACK)
        ends = ((source, ports[0]), (target, ports[1]))
        yield (
            (ends[::-1] if answer else ends),
            {
                "answer": answer,
                "ttl": packet[22],
                "type of service": packet[15],
                "don't fragment": packet[20] >> 6 & 1,
                "identification parity": packet[19] & 1,
                "window": struct.unpack_from(">H", packet, 48)[0],
                "options length": (packet[46] >> 4) * 4 - 20,
                "options": sum(packet[54 : 54 + (packet[46] >> 4) * 4 - 20][:12]),
                "sequence parity": packet[41] & 1,
                "sequence, high byte": packet[38],
            },
        )


def timelines():
    """Half an evening hour of every malicious scenario, several seeds."""
    for scenario in suite_scenarios("core")[1]:
        if scenario.analytics:
            short = replace(scenario, span=1_800_000_000, start=scenario.start + 19 * 3_600_000_000)
            yield from (compile_scenario(short, seed) for seed in SEEDS)


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    @cache
    def made():
        labels, found = [], []
        for number, timeline in enumerate(timelines()):
            folder = tmp_path_factory.mktemp("wire") / "recording"
            play("wire", timeline, folder)
            rows = pq.read_table(folder / "truth" / "flows.parquet").to_pylist()
            known = {
                ((row["client"], row["client_port"]), (row["server"], row["server_port"])): row["incident"] is not None
                for row in rows
            }
            seen = set()
            for ends, columns in syns(folder / "telemetry" / "capture.pcap"):
                pair = (number, ends[0][0], ends[1][0], columns["answer"])
                inbound = ends[1][0].startswith("10.88.")  # the phone itself answers: the same phone for every app
                if pair not in seen and not inbound:  # once per device and host: what a host has is drawn once
                    seen.add(pair)
                    labels.append(known[ends])
                    found.append(columns)
        return np.array(labels), {name: np.array([row[name] for row in found], dtype=float) for name in found[0]}

    return made()


def separation(labels, column):
    """How far the share of malicious rows above a malicious-or-benign threshold is from chance: folded AUC."""
    above = np.sign(column[labels][:, None] - column[~labels][None, :])
    raw = float(((above + 1) / 2).mean())
    return max(raw, 1.0 - raw)


@pytest.mark.parametrize(
    "column",
    [
        *("ttl", "type of service", "don't fragment", "identification parity", "window", "options length", "options"),
        *("sequence parity", "sequence, high byte"),
    ],
)
@pytest.mark.parametrize("answer", [False, True])
def test_no_field_of_a_syn_is_a_shortcut(table, column, answer):
    labels, columns = table
    side = columns["answer"] == answer
    assert labels[side].sum() > 60
    assert (~labels[side]).sum() > 200
    assert separation(labels[side], columns[column][side]) <= 0.6


def test_a_planted_ttl_is_caught(table):
    labels, columns = table
    assert separation(labels, columns["ttl"] + labels) > 0.6
