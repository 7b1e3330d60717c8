"""Recordings of a bad network: the same exchanges, told in packets that are late, repeated or missing."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from detector.capture import read_capture
from lab.behaviours import Speech
from lab.network import Network
from lab.recording import recording_hash
from lab.stages.wire import play

SECOND = 1_000_000
LOSSY = Network(loss=0.03, burst=1.5)  # beyond it a tail is silent for more than two seconds now and then
EXPECTED = re.compile(
    r"retransmission|Duplicate ACK|[Oo]ut-[Oo]f-[Oo]rder|segment\(s\) not captured|connection closing|Group|=+|^\s*$"
    r"|^(Errors|Warns|Notes|Chats)|Connection (establish|finish|reset)"
)


def polls(talk, count: int = 60):
    web, tls = Speech("http", port=80), Speech("http", tls=True)
    talks = []
    for n in range(count):
        begin = n * 30 * SECOND
        talks.append(talk([(0, 0, 0, 9_000)], start=begin, app=0, speech=Speech("dns", port=53)))
        talks.append(talk([(0, 300, 900, 5_000)], start=begin + SECOND, speech=tls, incident=0))
        talks.append(
            talk([(0, 300, 60_000, 5_000), (9 * SECOND, 5_000, 400, 5_000)], start=begin + SECOND, host=3, speech=web)
        )
    return talks


@pytest.fixture
def pair(timeline_of, talk, tmp_path) -> tuple[Path, Path]:
    """Recordings of polls, downloads and look-ups, without loss and with it."""
    timeline = timeline_of(polls(talk))
    return play(timeline, tmp_path / "plain"), play(replace(timeline, network=LOSSY), tmp_path / "lossy")


def exchanges(recording: Path) -> dict[tuple[object, ...], list[dict[str, int]]]:
    found = read_capture(recording / "telemetry/capture.pcap")
    ends = ("client", "client_port", "server", "server_port", "proto")
    names = {row["flow"]: tuple(row[end] for end in ends) for row in found.flows.to_pylist()}
    told: dict[tuple[object, ...], list[dict[str, int]]] = {name: [] for name in names.values()}
    for row in found.exchanges.to_pylist():
        told[names[row["flow"]]].append(row)
    return told


def sizes(told):
    return {name: [(row["bytes_up"], row["bytes_down"]) for row in rows] for name, rows in told.items()}


def test_a_lossy_recording_has_the_exchanges_of_a_clean_one(pair):
    plain, lossy = map(exchanges, pair)
    assert sizes(lossy) == sizes(plain)
    starts = [np.array([row["start"] for rows in told.values() for row in rows]) for told in (plain, lossy)]
    assert (starts[0] != starts[1]).any(), "nothing was lost"
    polled = [np.sort([rows[0]["start"] for name, rows in told.items() if name[3] == 443]) for told in (plain, lossy)]
    gaps = [np.diff(times) for times in polled]
    assert np.median(gaps[1]) == pytest.approx(np.median(gaps[0]), rel=0.02)
    assert len(gaps[0]) == 59


def test_the_phone_counts_what_it_says_once(pair):
    def socket_bytes(recording: Path) -> list[tuple[int, int, int]]:
        rows = pq.read_table(recording / "telemetry/sockets.parquet").to_pylist()
        return sorted(
            (r["local_port"], r["bytes_up"], r["bytes_down"]) for r in rows if r["bytes_up"] and r["proto"] == "tcp"
        )

    assert socket_bytes(pair[1]) == socket_bytes(pair[0])


def test_the_same_seed_loses_the_same_packets(pair, timeline_of, talk, tmp_path):
    again = play(replace(timeline_of(polls(talk)), network=LOSSY), tmp_path / "again")
    assert recording_hash(again) == recording_hash(pair[1])


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
def test_tshark_sees_what_loss_explains_and_nothing_else(pair):
    def expert(recording: Path) -> list[str]:
        command = ["tshark", "-r", str(recording / "telemetry/capture.pcap"), "-q", "-z", "expert,note"]
        command += ["-o", "tcp.reassemble_out_of_order:TRUE"]
        command += ["-o", "tcp.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()

    plain, lossy = map(expert, pair)
    assert not [line for line in plain if not re.search(r"connection closing|Notes|Frequency|=+|^\s*$", line)]
    assert not [line for line in lossy if not EXPECTED.search(line)]
    for wanted in ("retransmission", "Duplicate ACK", "fast retransmission", "not captured"):
        assert any(wanted in line for line in lossy), wanted


def test_multicast_is_spared(timeline_of, talk, tmp_path):
    timeline = timeline_of(
        [talk([(0, 200, 0, 0)], start=n * SECOND, host=0, speech=Speech("ssdp", port=1900)) for n in range(200)]
    )
    group = replace(timeline.hosts[0], name="", address="239.255.255.250")
    timeline = replace(timeline, hosts=(group, *timeline.hosts[1:]))
    frames = [
        read_capture(play(replace(timeline, network=network), tmp_path / name) / "telemetry/capture.pcap").stats.packets
        for name, network in (("plain", Network()), ("lossy", Network(loss=0.1)))
    ]
    assert frames[0] == frames[1] > 0
