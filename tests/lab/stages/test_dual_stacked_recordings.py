"""Recordings of phones with IPv6: valid packets, and the same addresses in every table."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from detector.capture import read_capture
from detector.intake import load
from lab.behaviours import Speech
from lab.network import Network
from lab.stages.wire import play
from lab.world.dual_stack import dual_stacked

DUAL = Network(ipv6=1.0)


@pytest.fixture
def recorded(timeline_of, talk, tmp_path) -> Path:
    """HTTPS, HTTP and QUIC to names, TLS to a literal, from a phone with both kinds of addresses."""
    talks = [
        talk([(0, 400, 5_000, 20_000)], speech=Speech("http", tls=True), incident=0),
        talk([(0, 300, 90_000, 5_000)], start=70_000, host=3, speech=Speech("http", port=80)),
        talk([(0, 300, 9_000, 5_000)], start=80_000, host=3, speech=Speech("quic")),
        talk([(0, 300, 900, 5_000)], start=90_000, host=1, speech=Speech("opaque", tls=True)),
    ]
    return play(dual_stacked(replace(timeline_of(talks), network=DUAL)), tmp_path / "dual")


def pairs(rows, one: str, other: str) -> set[tuple[str, int, str, int]]:
    names = (f"{one}", f"{one}_port", f"{other}", f"{other}_port")
    return {tuple(row[name.replace("_address_port", "_port")] for name in names) for row in rows}


def test_capture_sockets_truth_and_requests_have_the_same_addresses(recorded):
    flows = read_capture(recorded / "telemetry/capture.pcap").flows.to_pylist()
    told = pairs(flows, "client", "server")
    assert sorted(":" in row["client"] for row in flows) == [False, True, True, True]
    sockets = [
        row for row in pq.read_table(recorded / "telemetry/sockets.parquet").to_pylist() if row["event"] == "connect"
    ]
    assert pairs(sockets, "local_address", "peer_address") == told
    assert pairs(pq.read_table(recorded / "truth/flows.parquet").to_pylist(), "client", "server") == told
    requests = pq.read_table(recorded / "telemetry/http.parquet").to_pylist()
    assert len(requests) == 2
    assert pairs(requests, "client", "server") < told


def test_flows_of_both_kinds_have_an_app_and_a_name(recorded):
    flows = load(recorded / "telemetry")["flows"].to_pylist()
    assert {row["package"] for row in flows} == {"com.example.torchlight"}
    assert [row["name"] for row in flows if ":" in row["client"]] == [
        "api.garden.example",
        "cdn.river.test",
        "cdn.river.test",
    ]


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
def test_tshark_finds_nothing_wrong(recorded):
    checks = [word for layer in ("tcp", "udp", "ip") for word in ("-o", f"{layer}.check_checksum:TRUE")]
    bad = "_ws.malformed || tcp.checksum.status == 0 || udp.checksum.status == 0 || tcp.analysis.flags"

    def seen(wanted: str) -> int:
        command = ["tshark", "-r", str(recorded / "telemetry/capture.pcap"), *checks, "-Y", wanted]
        return len(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines())

    assert seen(bad) == 0
    assert seen("ipv6 && tcp.checksum.status == 1") > 80
    assert seen("ipv6 && quic") > 5
