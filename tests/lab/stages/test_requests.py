"""What mitmproxy would have listed, from plain messages and the times that carried them."""

from __future__ import annotations

import pyarrow.parquet as pq

from lab.behaviours import Speech
from lab.protocols import Message
from lab.stages.causality import Course, place
from lab.stages.requests import Overheard
from lab.stages.wire import play

COURSE = Course(0, 10_000_000, 10_000, 1400, 100, 100, tcp=True, inbound=False)
HEAD = b"POST /a?b=c HTTP/1.1\r\nHost: api.example\r\nUser-Agent: okhttp/4\r\n\r\n"


def up(time: int, data: bytes) -> Message:
    return Message(time, from_client=True, data=data)


def down(time: int, data: bytes) -> Message:
    return Message(time, from_client=False, data=data)


def overheard(messages, sni=None):
    ear = Overheard()
    said = place(COURSE, ear.carried(ear.plain(messages)))
    return said, ear.requests(7, said, sni)


def test_a_request_and_its_answer_in_pieces_are_one_row():
    messages = [
        up(1_000_000, HEAD),
        up(1_000_000, b"body"),
        down(1_001_000, b"HTTP/1.1 404 Not Found\r\n\r\n"),
        down(1_001_000, b"no"),
    ]
    said, (row,) = overheard(messages, "api.example")
    assert (row.conversation, row.method, row.path, row.host, row.user_agent, row.sni) == (
        7, "POST", "/a?b=c", "api.example", "okhttp/4", "api.example")  # fmt: skip
    assert (row.status, row.bytes_up, row.bytes_down) == (404, len(HEAD) + 4, 28)
    assert (row.time, row.end) == (said.start[0], said.end[3])


def test_each_request_has_its_own_row_and_one_unanswered_has_no_status():
    said, rows = overheard([up(1_000_000, HEAD), down(1_001_000, b"HTTP/1.1 200 OK\r\n\r\n"), up(2_000_000, HEAD)])
    assert [(row.status, row.bytes_down) for row in rows] == [(200, 19), (None, 0)]
    assert rows[1].time == said.start[2] == rows[1].end


def test_after_an_upgrade_nothing_more_is_http():
    messages = [
        up(1_000_000, HEAD),
        down(1_000_000, b"HTTP/1.1 101 Switching Protocols\r\n\r\n"),
        up(3_000_000, b"\x81\x01x"),
        down(3_000_000, b"\x81\x01y"),
    ]
    said, (row,) = overheard(messages)
    assert (row.status, row.bytes_up, row.end) == (101, len(HEAD), said.end[1])


def test_other_protocols_are_not_overheard():
    assert overheard([down(0, b"* OK IMAP4rev1\r\n"), up(0, HEAD)])[1] == []
    assert overheard([up(0, b"\x05\x01\x00"), up(1, HEAD)])[1] == []
    assert overheard([])[1] == []


def test_table_lists_what_crossed_the_gateway_and_times_are_those_of_the_wire(timeline_of, talk, tmp_path):
    web = Speech("http", tls=True)
    timeline = timeline_of(
        [talk([(0, 300, 500, 7_000), (500_000, 300, 90_000, 7_000)], speech=web, stack=stack) for stack in range(6)]
        + [talk([(0, 300, 500, 0)], host=2, speech=web), talk([(0, 300, 500, 0)], host=1, inbound=True, speech=web)]
    )
    rows = pq.read_table(play(timeline, tmp_path / "rec") / "telemetry/http.parquet").to_pylist()
    assert len(rows) == 12, "neither the neighbour's nor the inbound conversation crosses the gateway"
    assert {row["sni"] for row in rows} == {row["host"] for row in rows} == {"api.garden.example"}
    assert {(row["device"], row["client"], row["server"], row["server_port"]) for row in rows} == {
        ("phone-01", "10.88.3.4", "198.18.7.9", 443)
    }
    assert {(row["status"], row["bytes_up"]) for row in rows} == {(200, 300)}
    for row in rows:
        assert row["end"] - row["time"] >= 31_000 + 7_000, "a round trip and the delay"
    assert [row["time"] for row in rows] == sorted(row["time"] for row in rows)


def test_streams_of_http2_are_listed_with_a_host_that_is_not_the_name_in_clear(timeline_of, talk, tmp_path):
    fronted = Speech("http2", tls=True, options={"sni": "cdn.front.example", "host": "hidden.example"})
    hidden = Speech("http", tls=True, options={"sni": "none", "ech": "1"})
    rows = [(0, 600, 500, 7_000), (500_000, 600, 90_000, 7_000)]
    timeline = timeline_of(
        [talk(rows, speech=speech, stack=stack) for speech in (fronted, hidden) for stack in range(4)]
    )
    table = pq.read_table(play(timeline, tmp_path / "rec") / "telemetry/http.parquet").to_pylist()
    h2, h1 = ([row for row in table if row["host"] == host] for host in ("hidden.example", "api.garden.example"))
    assert (len(h2), len(h1), len(table)) == (8, 8, 16)
    assert {row["sni"] for row in h2} == {"cdn.front.example"}
    assert {row["sni"] for row in h1} == {None}
    assert {(row["method"], row["status"], row["bytes_up"], row["user_agent"]) for row in h2} == {
        ("GET", 200, 600, "okhttp/4.12.0")
    }
    assert {row["bytes_down"] for row in h2} == {500, 90_000}
    for row in h2:
        assert row["end"] - row["time"] >= 31_000 + 7_000, "a round trip and the delay"
