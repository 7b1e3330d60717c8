"""The gateway between a phone and its servers, with real containers: what passes, what is told of it."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from scapy.layers.inet import IP, TCP
from scapy.packet import Raw
from scapy.utils import rdpcap

from lab.stages.live.engine import image_tag
from lab.stages.live.gateway.overheard import http_rows

pytestmark = pytest.mark.live

PHONE, WEB, EXEMPT = "10.88.1.10", "198.18.0.1", "198.18.0.9"
PYTHON = "/opt/mitmproxy/bin/python"
OWNER = 1234  # of the folders, who is neither root nor anybody in the containers
TESTS = Path(__file__).parents[2]
EXACT = ("http", "https", "planned", "chunked", "close", "large", "exempt")


def rows_of(spoken, name, event):
    client = spoken.heard[name]["client"]
    return [row for row in spoken.rows if row["client"] == client and row["event"] == event]


def test_the_addon_keeps_its_promises_in_the_image(engine):
    folder = TESTS / "lab/stages/live/gateway/image"
    names = ["test_addon.py", "test_reading.py", "test_verbatim.py"]
    words = [PYTHON, "-W", "error::ResourceWarning", "-m", "unittest", *(f"/tests/{name}" for name in names)]
    said = engine.client.containers.run(
        image_tag("gateway"),
        words[1:],
        entrypoint=words[:1],
        volumes={str(folder): {"bind": "/tests", "mode": "ro"}},
        network_mode="none",
        read_only=True,
        tmpfs={"/tmp": "size=16m"},
        cap_drop=["ALL"],
        remove=True,
        stderr=True,
        labels={"droidrange.dev": "gateway"},
    ).decode()
    assert int(re.search(r"Ran (\d+) tests", said)[1]) > 15
    assert said.rstrip().endswith("OK")


@pytest.mark.parametrize("name", EXACT)
def test_every_byte_of_http_arrives_as_it_was_said(spoken, name):
    heard = spoken.heard[name]
    path = spoken.cases[name][4] if len(spoken.cases[name]) > 4 else "/small"
    arrived = [row for row in spoken.told if row["event"] == "web" and row["path"] == path]
    assert [heard["said"], heard["got"]] in [[row["got"], row["sent"]] for row in arrived]
    if name != "exempt":
        (row,) = rows_of(spoken, name, "http")
        assert (row["bytes_up"], row["bytes_down"]) == (heard["said"][0], heard["got"][0])
        assert row["time_us"] <= row["request_end_us"] <= row["answer_us"] <= row["end_us"]
        assert (row["path"], row["status"], row["user_agent"]) == (path, 200, "test/1")


def test_a_port_that_leads_to_two_servers_at_once_stays_the_phones(spoken):
    heard = spoken.heard["shared"]
    assert heard["clients"][0] == heard["clients"][1]
    assert min(heard["answers"]) > 0
    servers = {row["server"][0] for row in rows_of(spoken, "shared", "http")}
    assert servers == {WEB, "198.18.0.2"}


def test_tls_is_the_gateways_but_for_the_exempt(spoken):
    issuers = {name: spoken.heard[name]["issuer"] for name in ("https", "large", "exempt", "http")}
    assert issuers == {"https": "droidrange gateway", "large": "droidrange gateway", "exempt": "origin", "http": None}
    (row,) = rows_of(spoken, "https", "http")
    assert (row["sni"], row["tls"]) == ("www.lab.example", "TLSv1.3")
    assert [row for row in spoken.rows if row["server"][0] == EXEMPT] == []


def test_websockets_are_told_by_message(spoken):
    for name in ("ws", "wss"):
        assert spoken.heard[name]["heard"] == [5, 300]
        (upgrade,) = rows_of(spoken, name, "http")
        assert upgrade["status"] == 101
        told = sorted((row["from_client"], row["frame_bytes"]) for row in rows_of(spoken, name, "websocket"))
        assert told == [(False, 7), (False, 304), (True, 11), (True, 308)]


def test_http2_stays_http2(spoken):
    assert (spoken.heard["h2"]["alpn"], spoken.heard["h2"]["body"]) == ("h2", "two!")
    (row,) = rows_of(spoken, "h2", "http")
    assert (row["version"], row["host"], row["path"]) == ("HTTP/2.0", "www.lab.example", "/two")


def test_dns_passes_unchanged_over_udp_and_tcp(spoken):
    heard = spoken.heard["dns"]
    assert heard["tcp"]
    (asked, *_) = [row for row in spoken.told if row["event"] == "dns"]
    assert [asked["got"], asked["sent"]] == [heard["said"], heard["got"]]
    assert {(row["bytes_up"], row["bytes_down"]) for row in rows_of(spoken, "dns", "dns")} == {(44, 108)}
    (over_tcp,) = [row for row in spoken.rows if row["event"] == "dns" and row["transport"] == "tcp"]
    assert (over_tcp["bytes_up"], over_tcp["bytes_down"]) == (46, 110)
    assert over_tcp["answers"] == ["198.18.0.1", "198.18.0.2", "198.18.0.3"]


def test_a_port_that_is_used_again_is_answered_again(spoken):
    assert spoken.heard["again"]["answered"] == [108, 108, 108]


def test_an_app_that_pins_fails_and_is_named(spoken):
    assert "issuer" in spoken.heard["distrustful"]["refused"]
    (row,) = [row for row in spoken.rows if row["event"] == "tls_failed"]
    assert (row["client"][0], row["server"], row["sni"]) == (PHONE, [WEB, 443], "www.lab.example")
    assert "unknown ca" in row["reason"]


def test_a_server_may_speak_first_intercepted_or_not(spoken):
    for name in ("greeted", "forwarded"):
        heard = spoken.heard[name]
        assert (heard["greeting"], heard["heard"], heard["end"]) == (
            "220 it is me who speaks first\r\n",
            "QUIET\r\n",
            "",
        )
    (row,) = rows_of(spoken, "greeted", "tcp")
    assert (row["bytes_up"], row["bytes_down"]) == (7, 38)
    assert rows_of(spoken, "forwarded", "tcp") == []


def test_a_server_that_hangs_up_hangs_up_on_the_phone(spoken):
    assert spoken.heard["idle"]["closed_s"] < 10  # a third of a second; mitmproxy would keep the phone for ever


def test_the_servers_know_whose_a_connection_is_before_its_first_byte(spoken):
    notices = {tuple(row["notice"]["upstream"]): row for row in spoken.told if row["event"] == "notice"}
    asked = [row for row in spoken.told if row["event"] == "web" and row["peer"][0] == "100.64.77.1"]
    assert len(asked) == 9
    for row in asked:
        notice = notices[tuple(row["peer"])]
        assert notice["notice"]["client"][0] == PHONE
        assert notice["time_us"] <= row["first_us"]
    assert {row["notice"]["proto"] for row in notices.values()} == {"tcp", "udp"}


def test_the_requests_become_a_table(spoken):
    table = http_rows(spoken.rows, {PHONE: "phone-01"})
    assert table.num_rows == 12
    clients = {(row["client"], row["client_port"]) for row in table.to_pylist()}
    intercepted = [*(name for name in EXACT if name != "exempt"), "idle", "ws", "wss", "h2", "shared"]
    assert clients == {tuple(spoken.heard[name]["client"]) for name in intercepted}


def test_the_capture_is_the_phones_side_whole_and_as_on_a_wire(spoken):
    assert spoken.counted["dropped"] == 0
    assert spoken.counted["packets"] == spoken.counted["seen"]
    packets = rdpcap(str(spoken.pcap))
    assert len(packets) == spoken.counted["packets"]
    assert max(len(packet) for packet in packets) <= 1514
    between = {address for packet in packets if IP in packet for address in (packet[IP].src, packet[IP].dst)}
    assert {PHONE, WEB, EXEMPT, "10.88.0.1"} <= between
    assert not any(address.startswith(("100.64.", "10.77.")) for address in between)
    data = spoken.pcap.read_bytes()
    assert b"www.lab.example" in data
    assert b"/bytes/3000000" not in data
    answers = [
        bytes(packet[Raw].load)
        for packet in packets
        if TCP in packet and Raw in packet and packet[TCP].dport == spoken.heard["http"]["client"][1]
    ]
    assert [len(answer) for answer in answers] == [spoken.heard["http"]["got"][0]]  # head and body together


def test_an_app_that_is_known_to_pin_is_let_through(lab, spoken):
    lab.ask("plan", pinned=[[PHONE, WEB, 443]])
    assert lab.do("pinned", WEB, "origin.pem")["refused"] is None
    lab.ask("plan", pinned=[["10.88.1.11", WEB, 443]])
    assert lab.do("pinned", WEB, "origin.pem")["refused"]
    assert spoken.heard["distrustful"]["refused"]


def test_nothing_is_lost_at_100_requests_a_second(lab, spoken):
    lab.ask("plan")
    lab.ask("capture", name="busy")
    heard = lab.do("many", WEB, 80, "-", 4, 100)
    counted = lab.ask("stop")
    assert heard["done"] == 400
    assert (counted["dropped"], counted["lines"]) == (0, 400)
    assert counted["packets"] == counted["seen"]
    assert spoken.counted["faults"] == counted["faults"] == []


def test_the_ways_out_are_closed(lab):
    assert not lab.do("reached", "198.51.100.7", 9999)["reached"]
    assert not lab.do("reached", "10.88.0.1", 8888)["reached"]
    assert not lab.do("reached", "100.64.77.2", 9100)["reached"]
    with pytest.raises(Exception, match="unknown verb 'halt'; known: capture, plan, status, stop"):
        lab.ask("halt")


def test_neither_child_has_a_right_it_does_not_need(lab):
    lab.ask("capture", name="rights")
    script = (
        "for p in $(pgrep -x mitmdump) $(pgrep -x tcpdump); do grep -E 'Uid|CapBnd|CapEff|NoNew' /proc/$p/status; done"
    )
    said = lab.container.exec_run(["sh", "-c", script]).output.decode().split()
    lab.ask("stop")
    uids = [said[k + 1] for k, word in enumerate(said) if word == "Uid:"]
    caps = [int(said[k + 1], 16) for k, word in enumerate(said) if word.startswith("Cap")]
    assert uids == ["900", "901"]
    assert caps == [0, 0, 1 << 13, 1 << 13]  # NET_RAW is number 13 (linux/capability.h)
    assert [said[k + 1] for k, word in enumerate(said) if word == "NoNewPrivs:"] == ["1", "1"]


def test_what_is_written_is_the_owners(lab, spoken):
    owner = OWNER if os.geteuid() == 0 else os.geteuid()
    assert {path.stat().st_uid for path in lab.rec.iterdir()} == {owner}
    assert spoken.pcap.stat().st_mode & 0o777 == 0o644
