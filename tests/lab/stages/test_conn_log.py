"""The truth of every conversation in Zeek's words, held against the packets of the capture."""

from __future__ import annotations

from dataclasses import replace

import pytest
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import Ether
from scapy.utils import RawPcapReader

from lab.behaviours import Speech
from lab.network import Network
from lab.stages.wire import play
from lab.timeline import Attachment


@pytest.fixture
def truth(tiny, tmp_path):
    return play(tiny, tmp_path / "rec") / "truth"


def zeek(folder) -> list[dict[str, str]]:
    lines = (folder / "conn.log.labeled").read_text().splitlines()
    (fields,) = [line.split("\t")[1:] for line in lines if line.startswith("#fields")]
    (types,) = [line.split("\t")[1:] for line in lines if line.startswith("#types")]
    assert len(fields) == len(types)
    return [dict(zip(fields, line.split("\t"), strict=True)) for line in lines if not line.startswith("#")]


def test_zeek_log_holds_the_label_columns_and_no_clock(truth):
    rows = zeek(truth)
    assert [row["label"] for row in rows].count("Malicious") == 1
    assert {row["label"] for row in rows} == {"Malicious", "Benign"}
    assert rows[1]["detailedlabel"] == "AN1793-http-poll"
    assert rows[0]["service"] == "dns"
    assert rows[1]["service"] == "ssl"
    assert len({row["uid"] for row in rows}) == len(rows)
    assert b"#close" not in (truth / "conn.log.labeled").read_bytes()


def test_zeek_counts_are_those_of_the_capture(truth):
    packets = counted(truth.parent / "telemetry/capture.pcap")
    for row in zeek(truth):
        here, there = ((row["id.orig_h"], row["id.orig_p"]), (row["id.resp_h"], row["id.resp_p"]))
        for side, way in (("orig", (here, there)), ("resp", (there, here))):
            number, size, over = packets[way]
            assert [int(row[f"{side}_{name}"]) for name in ("pkts", "ip_bytes")] == [number, size]
            header = 40 if row["proto"] == "tcp" else 28
            assert int(row[f"{side}_bytes"]) == size - over - header * number


def test_states_and_histories_are_those_of_the_packets(truth):
    assert {(row["proto"], row["conn_state"], row["history"]) for row in zeek(truth)} == {
        ("udp", "SF", "Dd"),
        ("tcp", "SF", "ShADadFf"),
        ("tcp", "SF", "ShADdFf"),  # an answer that acknowledges
    }


def moving(timeline, at, first):
    """The timeline, its first phone on another network from ``at`` after the start."""
    phone = timeline.devices[0]
    stays = Attachment(timeline.start, first, phone.address, 0)
    goes = Attachment(timeline.start + at, "work", "10.88.77.7", 0)
    return replace(timeline, devices=(replace(phone, attachments=(stays, goes)), *timeline.devices[1:]))


@pytest.mark.parametrize(("first", "state", "last"), [("home", "S1", ""), ("mobile", "RSTO", "R")])
def test_who_leaves_the_network_parts_without_fin(first, state, last, timeline_of, talk, tmp_path):
    """Half-open where nothing passes any more, reset where the old network lingers."""
    timeline = timeline_of([talk([(0, 100, 900, 9_000), (60_000_000, 90, 80, 0)], linger=10**6)])
    play(moving(timeline, 20_000_000, first), tmp_path / "rec")
    (row,) = zeek(tmp_path / "rec/truth")
    assert (row["conn_state"], row["history"]) == (state, "ShADd" + last)


def test_who_is_not_answered_in_time_is_left_in_s0(timeline_of, talk, tmp_path):
    timeline = moving(timeline_of([talk([(0, 100, 900, 9_000)])]), 5_000, "home")
    play(timeline, tmp_path / "rec")
    (row,) = zeek(tmp_path / "rec/truth")
    assert (row["conn_state"], row["history"], row["resp_pkts"], row["resp_ip_bytes"]) == ("S0", "S", "0", "0")


def test_a_question_without_an_answer_is_s0(timeline_of, talk, tmp_path):
    said = talk([(0, 70, 0, 0)], speech=Speech("datagram", port=9_999))
    play(timeline_of([said]), tmp_path / "rec")
    (row,) = zeek(tmp_path / "rec/truth")
    assert (row["proto"], row["conn_state"], row["history"]) == ("udp", "S0", "D")


def test_losses_are_in_histories_and_every_byte_is_counted(timeline_of, talk, tmp_path):
    """Options of SACK, and payload sent again, are bytes of packets and not of the stream."""
    timeline = timeline_of([talk([(0, 200_000, 300_000, 9_000)], start=at * 10**6) for at in range(8)])
    play(replace(timeline, network=Network(loss=0.03, burst=1.5)), tmp_path / "rec")
    rows = zeek(tmp_path / "rec/truth")
    assert any("T" in row["history"] for row in rows), "what the phone sends is seen, lost, and seen again"
    assert {row["conn_state"] for row in rows} == {"SF"}
    packets = counted(tmp_path / "rec/telemetry/capture.pcap")
    options = 0
    for row in rows:
        here, there = ((row["id.orig_h"], row["id.orig_p"]), (row["id.resp_h"], row["id.resp_p"]))
        for side, way in (("orig", (here, there)), ("resp", (there, here))):
            number, size, over = packets[way]
            assert (int(row[f"{side}_pkts"]), int(row[f"{side}_ip_bytes"])) == (number, size)
            options += over
    assert options > 16 * 12, "of more than SYNs"


def counted(capture):
    """Packets, bytes from the IP header on, and bytes of TCP options, by (source, target)."""
    found: dict[tuple[tuple[str, str], tuple[str, str]], list[int]] = {}
    with RawPcapReader(str(capture)) as reader:
        packets = [Ether(raw) for raw, _ in reader]
    for packet in packets:
        l4 = packet[TCP] if TCP in packet else packet[UDP]
        ends = ((packet[IP].src, str(l4.sport)), (packet[IP].dst, str(l4.dport)))
        row = found.setdefault(ends, [0, 0, 0])
        row[0] += 1
        row[1] += packet[IP].len
        row[2] += l4.dataofs * 4 - 20 if TCP in packet else 0
    return found
