"""The truth of every conversation as a table."""

from __future__ import annotations

import pyarrow.parquet as pq
import pytest

from lab.stages.wire import play


@pytest.fixture
def truth(tiny, tmp_path):
    return play(tiny, tmp_path / "rec") / "truth"


def test_flows_name_the_incident_or_nothing(tiny, truth):
    rows = pq.read_table(truth / "flows.parquet").to_pylist()
    assert [row["incident"] for row in rows] == [None, tiny.incidents[0].incident, None, None, None, None]
    assert [row["behaviour"] for row in rows][:3] == ["web-browsing", "http-poll", "web-browsing"]
    assert [row["proto"] for row in rows] == ["udp", *["tcp"] * 5]
    assert (rows[4]["client"], rows[4]["server"], rows[4]["server_port"]) == ("198.19.200.1", "10.88.3.4", 1080)
    assert all(row["end"] >= row["start"] for row in rows)
