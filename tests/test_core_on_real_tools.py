"""Every core scenario, played and read by tshark and Suricata: nothing malformed, and names as the timeline says."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from lab.recording import CAPTURE, open_recording
from lab.scenario import compile_scenario, find_scenario, load_scenario, load_suite
from lab.stages import play

pytestmark = [pytest.mark.tools, pytest.mark.whole]
# suite core, and what speaks the protocols that it does not
CORE = (*load_suite("core").scenarios, "live-smtp", "live-imap", "live-connect")
FIELDS = {
    "source port": "tcp.srcport",
    "SNI": "tls.handshake.extensions_server_name",
    "Host": "http.host",
    "qname": "dns.qry.name",
    "malformed": "_ws.malformed",
    "ip checksum": "ip.checksum.status",
    "tcp checksum": "tcp.checksum.status",
    "udp checksum": "udp.checksum.status",
}
CHECKSUM_BAD = "0"
# Suricata has no SOCKS parser: "05 00" makes it guess DCE/RPC on one side, on real SOCKS captures just so; and of SMTP it
# knows only the client's side, on real captures (ndpi-smtp) just so
KNOWN_GUESSES = [("applayer", "APPLAYER_DETECT_PROTOCOL_ONLY_ONE_DIRECTION", port) for port in (1080, 587)]


@pytest.fixture(scope="module", params=CORE)
def played(request, tmp_path_factory):
    timeline = compile_scenario(load_scenario(find_scenario(request.param)), 1)
    return timeline, play("wire", timeline, tmp_path_factory.mktemp("whole") / request.param)


def program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def read_by_tshark(capture: Path) -> list[dict[str, str]]:
    checks = [f"-o{name}.check_checksum:TRUE" for name in ("ip", "tcp", "udp")]
    fields = [word for field in FIELDS.values() for word in ("-e", field)]
    words = [program("tshark"), "-n", "-r", capture, *checks, "-Tfields", "-Eseparator=|", "-Eoccurrence=f", *fields]
    lines = subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines()
    return [dict(zip(FIELDS, line.split("|"), strict=True)) for line in lines]


def faults(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    sums = [name for name in FIELDS if name.endswith("checksum")]
    return [row for row in rows if row["malformed"] or any(row[name] == CHECKSUM_BAD for name in sums)]


def test_tshark_reads_every_packet_and_the_names_of_the_timeline(played):
    timeline, folder = played
    rows = read_by_tshark(folder / CAPTURE)
    assert len(rows) == open_recording(folder).files[CAPTURE]["packets"]
    assert faults(rows) == []
    said, speeches = timeline.conversations, timeline.speeches
    expected = {"SNI": Counter(), "Host": Counter()}
    for host, speech in zip(said.host.tolist(), said.speech.tolist(), strict=True):
        name, how = timeline.hosts[host].name, speeches[speech]
        clear = how.options.get("sni", name)
        if clear not in {"", "none"} and (how.tls or how.options.get("starttls") == "1"):
            expected["SNI"][clear] += 1
        elif name and not how.tls and how.protocol in ("http", "websocket"):
            expected["Host"][how.options.get("host", name)] += 1
    assert Counter(row["SNI"] for row in rows if row["SNI"]) == expected["SNI"]
    assert {row["Host"] for row in rows if row["Host"]} >= set(expected["Host"])
    names = {host.name for host in timeline.hosts if host.name}
    asked = {row["qname"].lower() for row in rows if row["qname"]}
    assert asked
    assert {
        name for name in asked if name not in names and not any(name.endswith("." + zone) for zone in names)
    } == set()


def test_suricata_decodes_every_packet_without_an_anomaly(played, tmp_path):
    _, folder = played
    packets = open_recording(folder).files[CAPTURE]["packets"]
    seen, anomalies = read_by_suricata(folder / CAPTURE, tmp_path)
    assert (seen["pkts"], seen["invalid"]) == (packets, 0)
    assert [what for what in anomalies if what not in KNOWN_GUESSES] == []


def read_by_suricata(capture: Path, folder: Path) -> tuple[dict[str, int], list[tuple[str, str, int]]]:
    words = [program("suricata"), "-r", capture, "-k", "none", "-S", "/dev/null", "-l", folder, "--runmode", "single"]
    subprocess.run(words, capture_output=True, check=True)
    events = [json.loads(line) for line in (folder / "eve.json").read_text().splitlines()]
    found = [event for event in events if event["event_type"] == "anomaly"]
    stats = next(event["stats"] for event in reversed(events) if event["event_type"] == "stats")
    ports = [min(event.get("src_port", 0), event.get("dest_port", 0)) for event in found]  # servers' lie below clients'
    kinds = [(event["anomaly"]["type"], event["anomaly"]["event"]) for event in found]
    return stats["decoder"], [(*kind, port) for kind, port in zip(kinds, ports, strict=True)]


def test_a_damaged_packet_is_found_by_both(tmp_path):
    folder = play("wire", compile_scenario(load_scenario(find_scenario("smoke-poll")), 1), tmp_path / "rec")
    data = bytearray((folder / CAPTURE).read_bytes())
    data[24 + 16 + 14] = 0x42  # IPv4 with a header of 8 bytes
    data[24 + 16 + 14 + 2] = 0xFF  # longer than the frame
    bad = tmp_path / "bad.pcap"
    bad.write_bytes(data)
    (tmp_path / "eve").mkdir()
    seen, anomalies = read_by_suricata(bad, tmp_path / "eve")
    assert seen["invalid"] or anomalies
    data = bytearray((folder / CAPTURE).read_bytes())
    data[24 + 16 + 14 + 15] ^= 1
    bad.write_bytes(data)
    assert faults(read_by_tshark(bad))
