"""The tables are those of the contract, whatever is in the file."""

import pytest

from detector.capture.tables import FLOWS
from detector.contract import SCHEMAS


@pytest.mark.parametrize("packets", [0, 1, 9])
def test_schemas(wire, packets):
    read = wire.read(wire.pcap(wire.talk()[:packets]))
    assert read.flows.schema.equals(FLOWS)
    assert read.exchanges.schema.equals(SCHEMAS["exchanges"])
    assert read.dns.schema.equals(SCHEMAS["dns"])
    assert read.flows.num_rows == min(packets, 1)


def test_flows_lack_only_what_a_capture_cannot_know():
    missing = [name for name in SCHEMAS["flows"].names if name not in FLOWS.names]
    assert missing == ["device", "inbound", "uid", "package"]
    assert [name for name in SCHEMAS["flows"].names if name in FLOWS.names] == FLOWS.names


def test_rows_refer_to_flows_by_number(wire):
    packets = [*wire.talk(), wire.udp(50, b"abc"), wire.udp(60, b"de", down=True)]
    read = wire.read(wire.pcap(packets))
    assert read.flows["flow"].to_pylist() == [0, 1]
    assert read.flows["proto"].to_pylist() == ["tcp", "udp"]
    for flow in read.flows.to_pylist():
        rows = [row for row in read.exchanges.to_pylist() if row["flow"] == flow["flow"]]
        for name in ("bytes_up", "bytes_down"):
            assert sum(row[name] for row in rows) == flow[name] > 0
        assert flow["start"] <= rows[0]["start"] <= rows[-1]["end"] <= flow["end"]
