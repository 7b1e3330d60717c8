"""The truth of every conversation, as a table and in Zeek's words."""

from __future__ import annotations

import pyarrow.parquet as pq
import pytest

from lab.stages.wire import play


@pytest.fixture
def truth(tiny, tmp_path):
    return play(tiny, tmp_path / "rec") / "truth"


def zeek(folder) -> list[dict[str, str]]:
    lines = (folder / "conn.log.labeled").read_text().splitlines()
    (fields,) = [line.split("\t")[1:] for line in lines if line.startswith("#fields")]
    (types,) = [line.split("\t")[1:] for line in lines if line.startswith("#types")]
    assert len(fields) == len(types)
    return [dict(zip(fields, line.split("\t"), strict=True)) for line in lines if not line.startswith("#")]


def test_flows_name_the_incident_or_nothing(tiny, truth):
    rows = pq.read_table(truth / "flows.parquet").to_pylist()
    assert [row["incident"] for row in rows] == [None, tiny.incidents[0].incident, None, None, None, None]
    assert [row["behaviour"] for row in rows][:3] == ["web-browsing", "http-poll", "web-browsing"]
    assert [row["proto"] for row in rows] == ["udp", *["tcp"] * 5]
    assert (rows[4]["client"], rows[4]["server"], rows[4]["server_port"]) == ("198.19.200.1", "10.88.3.4", 1080)
    assert all(row["end"] >= row["start"] for row in rows)


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
    from scapy.layers.inet import IP, TCP, UDP
    from scapy.layers.l2 import Ether
    from scapy.utils import RawPcapReader

    counted: dict[tuple[str, str], list[int]] = {}
    with RawPcapReader(str(truth.parent / "telemetry/capture.pcap")) as reader:
        packets = [Ether(raw) for raw, _ in reader]
    for packet in packets:
        l4 = packet[TCP] if TCP in packet else packet[UDP]
        size = packet[IP].len
        row = counted.setdefault((packet[IP].src, str(l4.sport)), [0, 0, 0])
        row[0] += size - 20 - (l4.dataofs * 4 if TCP in packet else 8)
        row[1] += 1
        row[2] += size
    for row in zeek(truth):
        said = [int(row[name]) for name in ("orig_bytes", "orig_pkts", "orig_ip_bytes")]
        assert said == counted[row["id.orig_h"], row["id.orig_p"]]
