"""Every wire format here, played on the wire stage and read by tshark and Suricata: nothing malformed, nothing odd."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from detector.contract import open_telemetry
from lab.behaviours import Speech
from lab.protocols.tls import client_pool_size
from lab.recording import CAPTURE
from lab.stages.wire import play
from lab.timeline import Host

pytestmark = pytest.mark.tools

S = 1_000_000
SSDP, MDNS, NEIGHBOUR = 4, 5, 2
ASKED = [(0, 0, 0, 9), (S, 120, 400, 9), (2 * S, 200, 1_200, 9), (3 * S, 90, 0, 9)]
LONG = [*ASKED, (4 * S, 230, 30_000, 9)]
#: speech, exchanges and host of one conversation each
SAID = [
    *((Speech("dns", port=53, options={"qtype": q, "alpn": "h2,h3"}), ASKED, 0) for q in ("A", "AAAA", "TXT")),
    *((Speech("dns", port=53, options={"qtype": q, "alpn": "h2,h3"}), ASKED, 0) for q in ("NULL", "HTTPS")),
    *((Speech("dns_tcp", port=53, options={"qtype": q, "alpn": "h3"}), LONG, 0) for q in ("A", "TXT", "NULL", "HTTPS")),
    (Speech("dns_tcp", tls=True, port=853), ASKED, 0),
    (Speech("doh", tls=True, options={"qtype": "TXT"}), LONG, 0),
    *((Speech("doh", port=80, options={"qtype": q, "method": "POST"}), LONG, 0) for q in ("AAAA", "TXT", "HTTPS")),
    (Speech("doh", port=80, options={"qtype": "NULL", "method": "GET"}), LONG, 0),
    (
        Speech("mqtt", port=1883, options={"user": "u", "password": "p"}),
        [
            (0, 2, 2, 9),
            (S, 200, 4, 9),
            (2 * S, 300, 900, 9),
            (3 * S, 0, 130, 9),
            (4 * S, 129, 0, 0),
            (5 * S, 70_000, 4, 9),
        ],
        0,
    ),
    *(
        (
            Speech("quic", options={"sni": sni} if sni else {}),
            [(0, 800, 4_000, 5), (S, 100, 0, 5), (2 * S, 0, 200, 4)],
            0,
        )
        for sni in ("", "cdn.other.example", "none")
    ),
    (Speech("quic"), [(0, 600, 60_000, 5)], 0),
    (Speech("quic", options={"sni": "outer.example", "ech": "1", "resume": "1"}), [(0, 600, 900, 5)], 0),
    (Speech("socks4", port=1080, options={"target": "198.18.9.9:9999"}), [(0, 800, 4_000, 5)], 0),
    (Speech("socks4", port=1080, options={"target": "www.shop.example:9999", "user": "me"}), [(0, 800, 4_000, 5)], 0),
    (Speech("stun", port=3478), [(0, 0, 0, 5), (S, 100, 120, 5), (2 * S, 28, 0, 0)], 0),
    (Speech("stun", port=3478, options={"relay": "1"}), [(i * 60 * S, 200, 200 + i, 5) for i in range(9)], 0),
    (Speech("stun", port=3478, options={"relay": "1"}), [(0, 172, 0, 0), (S, 0, 3_000, 5)], 0),
    (Speech("ntp", port=123), [(0, 48, 48, 20_000), (64 * S, 48, 48, 20_000)], 0),
    (Speech("ssdp", port=1900), [(0, 120, 0, 0), (S, 300, 0, 0)], SSDP),
    (Speech("ssdp", port=1900, options={"say": "notify"}), [(0, 120, 0, 0), (S, 900, 0, 0)], SSDP),
    (Speech("ssdp", port=1900), [(0, 0, 300, 0)], NEIGHBOUR),
    (Speech("mdns", port=5353), [(0, 40, 0, 0), (10 * S, 300, 0, 0)], MDNS),
    (Speech("mdns", port=5353), [(0, 0, 300, 0), (S, 0, 1_400, 0)], NEIGHBOUR),
    (Speech("sip", port=5060), [(0, 4, 0, 0), (S, 700, 500, 50), (2 * S, 0, 400, 0)], 0),
    (Speech("sip", port=5060, options={"method": "OPTIONS"}), [(S, 700, 500, 50), (2 * S, 0, 400, 0)], 0),
    (Speech("datagram", port=4500, options={"form": "plain"}), [(0, 1, 0, 9), (20 * S, 1, 0, 9)], 0),
    (
        Speech("datagram", port=27_015, options={"form": "plain"}),
        [(i * S // 9, 9 + i, 200 + i, 9) for i in range(600)],
        0,
    ),
]
#: what tshark must call the packets of a server port, besides what carries them
READ = {53: "dns", 80: "http2", 1883: "mqtt", 443: "quic", 123: "ntp", 1900: "ssdp", 5353: "mdns", 5060: "sip"}
READ |= {1080: "socks", 3478: "stun", 853: "tls"}
#: Suricata has no reader of these, or only of one side
UNREAD = {1080, 3478, 1900, 5353, 4500, 27_015}


@pytest.fixture(scope="module")
def spoken(tmp_path_factory):
    """The timeline of all these conversations, by the builder of tests/lab/conftest.py, and its recording."""
    place = Path(__file__).parents[1] / "conftest.py"
    spec = importlib.util.spec_from_file_location("timelines_by_hand", place)
    by_hand = importlib.util.module_from_spec(spec)
    import sys

    sys.modules[spec.name] = by_hand
    spec.loader.exec_module(by_hand)
    talks = [
        by_hand.Talk(rows, start=i * 2 * S, speech=speech, host=host, stack=i % client_pool_size())
        for i, (speech, rows, host) in enumerate(SAID)
    ]
    timeline = by_hand.build(talks)
    groups = (Host("", "239.255.255.250", 1_000), Host("", "224.0.0.251", 1_000))
    timeline = dataclasses.replace(timeline, hosts=(*timeline.hosts, *groups))
    return timeline, play(timeline, tmp_path_factory.mktemp("tools") / "rec")


def program(name):
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def tshark(capture, *fields):
    """A row of fields per packet, and the expert information that is a warning or worse, by summary."""
    words = [program("tshark"), "-n", "-r", str(capture), "-Tfields", "-Eseparator=|", "-Eoccurrence=f"]
    said = subprocess.run([*words, *(w for f in fields for w in ("-e", f))], capture_output=True, text=True, check=True)
    expert = [program("tshark"), "-n", "-r", str(capture), "-q", "-z", "expert,warn"]
    told = subprocess.run(expert, capture_output=True, text=True, check=True).stdout.splitlines()
    counted = [line.split(None, 3) for line in told if line.strip()[:1].isdigit()]
    rows = [dict(zip(fields, line.split("|"), strict=True)) for line in said.stdout.splitlines()]
    return rows, Counter({row[3]: int(row[0]) for row in counted})


def suricata(capture, folder):
    """Its events."""
    folder.mkdir()
    words = [program("suricata"), "-r", str(capture), "-k", "none", "-S", "/dev/null", "-l", str(folder)]
    subprocess.run([*words, "--runmode", "single"], capture_output=True, check=True)
    return [json.loads(line) for line in (folder / "eve.json").read_text().splitlines()]


FIELDS = ("frame.protocols", "tcp.srcport", "tcp.dstport", "udp.srcport", "udp.dstport", "_ws.malformed")
SNI = "tls.handshake.extensions_server_name"
#: in every capture without the secrets of its QUIC, and where a question to a group is repeated
EXPECTED = ("Failed to create decryption context", "DNS query retransmission", "DNS response retransmission")


def test_tshark_names_them_and_finds_nothing_malformed(spoken):
    _, folder = spoken
    rows, expert = tshark(folder / CAPTURE, *FIELDS, SNI)
    assert [row for row in rows if row["_ws.malformed"]] == []
    assert [what for what in expert if not what.startswith(EXPECTED)] == []
    for port, name in READ.items():
        ends = [row for row in rows if str(port) in [row[field] for field in FIELDS[1:5]]]
        assert any(name in row["frame.protocols"].split(":") for row in ends), name
    quic = [row[SNI] for row in rows if "quic" in row["frame.protocols"] and row[SNI]]
    assert quic == ["api.garden.example", "cdn.other.example", "api.garden.example", "outer.example"]


def test_suricata_decodes_them_without_an_anomaly_and_reads_the_names(spoken, tmp_path):
    _, folder = spoken
    events = suricata(folder / CAPTURE, tmp_path / "eve")
    kinds = Counter(event["event_type"] for event in events)
    assert [event for event in events if event["event_type"] == "anomaly"] == []
    assert events[-1]["stats"]["decoder"]["invalid"] == 0
    assert {"dns", "mqtt", "quic", "sip", "tls", "http"} <= set(kinds)
    told = {event["quic"]["sni"] for event in events if event["event_type"] == "quic" and "sni" in event["quic"]}
    assert told == {"api.garden.example", "cdn.other.example", "outer.example"}
    flows = [event for event in events if event["event_type"] == "flow"]
    failed = {min(e["dest_port"], e["src_port"]) for e in flows if e.get("app_proto") == "failed"}
    assert failed <= UNREAD


def test_a_damaged_frame_is_found_by_both(spoken, tmp_path):
    """The control of both tests: an answer with more records than bytes, then an impossible IPv4 header."""
    _, folder = spoken
    data = bytearray((folder / CAPTURE).read_bytes())
    first = data.index(b"api\x06garden")
    answer = data.index(b"api\x06garden", first + 1)
    data[answer - 7 : answer - 5] = b"\x7f\xff"
    bad = tmp_path / "bad.pcap"
    bad.write_bytes(data)
    assert [row for row in tshark(bad, *FIELDS)[0] if row["_ws.malformed"]]
    data[24 + 16 + 14] = 0x42  # IPv4 with a header of 8 bytes
    bad.write_bytes(data)
    assert suricata(bad, tmp_path / "eve")[-1]["stats"]["decoder"]["invalid"]


def test_our_reader_loses_nothing_of_them(spoken):
    """Each conversation is a flow between the same ends; only what is silent for long is several."""
    timeline, folder = spoken
    telemetry = open_telemetry(folder / "telemetry")
    said = timeline.conversations
    found = {(row["client_port"], row["server"], row["server_port"]) for row in telemetry["flows"].to_pylist()}
    wanted = {
        (int(port), timeline.hosts[host].address, timeline.speeches[speech].port)
        for port, host, speech in zip(said.client_port, said.host, said.speech, strict=True)
    }
    assert found == wanted
    assert sum(telemetry.outside.values()) == 0
    hellos = {row["sni"] for row in telemetry["flows"].to_pylist() if row["app_proto"] == "quic"}
    assert hellos == {"api.garden.example", "cdn.other.example", "outer.example", None}
    asked = Counter(row["qtype"] for row in telemetry["dns"].to_pylist() if row["qname"])
    assert {"A", "AAAA", "TXT", "NULL", "HTTPS", "PTR"} == set(asked)
