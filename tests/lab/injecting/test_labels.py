"""The truth of every flow: the recording's own as they were, the background's as background."""

import numpy as np
import pyarrow.parquet as pq
import pytest

from lab.injecting.census import Census
from lab.injecting.heads import heads
from lab.injecting.injected import pieces, read_injected
from lab.injecting.labels import Moves, background_flows, extra_of, write_flows, write_log
from lab.injecting.parts import parts
from lab.injecting.places import Places
from lab.stages.conn_log import ZEEK
from lab.stages.labels import FLOWS


@pytest.fixture
def census(backgrounds, tmp_path):
    found = Census()
    for part in parts(backgrounds.background(12).save(tmp_path / "home.pcap")):
        found.add(heads(part, found.book), part.records.time)
    return found


def rows_of(path):
    lines = path.read_text().splitlines()
    return [dict(zip(ZEEK, line.split("\t"), strict=True)) for line in lines if not line.startswith("#")]


def test_background_flows_are_neither_benign_nor_malicious(census, backgrounds, smoke_recording, tmp_path):
    source = smoke_recording / "truth/flows.parquet"
    others = write_flows(source, tmp_path / "flows.parquet", Places("x", {}), 7, census)
    table, before = pq.read_table(tmp_path / "flows.parquet"), pq.read_table(source)
    assert table.schema.equals(FLOWS)
    assert others == 24 == table.num_rows - before.num_rows
    tail = table.slice(before.num_rows).to_pylist()
    assert {(row["behaviour"], row["incident"], row["device"]) for row in tail} == {
        ("background", None, backgrounds.PHONE)
    }
    assert {row["proto"] for row in tail} == {"tcp", "udp"}
    head = table.slice(0, before.num_rows)
    assert head["start"].to_pylist() == [start + 7 for start in before["start"].to_pylist()]
    assert background_flows(Census(), Census().talks()).num_rows == 0


def test_the_log_says_background(census, smoke_recording, tmp_path):
    source = smoke_recording / "truth/conn.log.labeled"
    write_log(source, tmp_path / "log", Moves(Places("x", {}), 1_500_000, {}), census)
    before, after = rows_of(source), rows_of(tmp_path / "log")
    assert len(after) == len(before) + 24
    for old, new in zip(before, after, strict=False):
        assert round(float(new["ts"]) - float(old["ts"]), 6) == 1.5
        assert {**new, "ts": ""} == {**old, "ts": ""}
    packets = sum(int(row["orig_pkts"]) + int(row["resp_pkts"]) for row in after[len(before) :])
    assert packets == census.packets
    assert {(row["label"], row["detailedlabel"]) for row in after[len(before) :]} == {("Background", "background")}


def test_pieces_count_as_packets(smoke_recording, census, tmp_path):
    source = smoke_recording / "truth/conn.log.labeled"
    injected = read_injected(smoke_recording / "telemetry/capture.pcap", [])
    cut = pieces(injected.heads, np.full(len(injected.heads), 300))
    write_log(source, tmp_path / "log", Moves(Places("x", {}), 0, extra_of(injected, cut)), census)
    before, after = rows_of(source), rows_of(tmp_path / "log")

    def total(rows, *names):
        return sum(int(row[name]) for row in rows for name in names)

    after = after[: len(before)]
    more = len(cut) - len(injected.heads)
    assert more > 100
    assert total(after, "orig_pkts", "resp_pkts") - total(before, "orig_pkts", "resp_pkts") == more
    headers = total(after, "orig_ip_bytes", "resp_ip_bytes") - total(before, "orig_ip_bytes", "resp_ip_bytes")
    assert headers == 40 * more


def test_each_piece_adds_the_headers_that_its_segment_has(tmp_path):
    from scapy.layers.inet import IP, TCP
    from scapy.layers.inet6 import IPv6
    from scapy.layers.l2 import Ether
    from scapy.utils import wrpcap

    stamps = TCP(sport=1, dport=2, options=[("NOP", None), ("NOP", None), ("Timestamp", (1, 2))])
    frames = [Ether() / ip / stamps / bytes(500) for ip in (IP(src="10.88.0.2", dst="198.18.0.1"), IPv6())]
    wrpcap(str(tmp_path / "two.pcap"), frames)
    injected = read_injected(tmp_path / "two.pcap", [])
    extra = extra_of(injected, pieces(injected.heads, np.full(2, 300)))
    assert sorted(row[2] for more in extra.values() for row in more if row[1]) == [20 + 32, 40 + 32]
