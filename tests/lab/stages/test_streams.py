"""HTTP/2 streams, read from what lab.protocols.http2 and h2 itself say."""

from __future__ import annotations

import numpy as np
from h2.config import H2Configuration
from h2.connection import H2Connection

from lab.protocols import Dialogue, Message, http2
from lab.stages.streams import streams


def said(rows, **options):
    columns = np.array(rows, dtype=np.int64).reshape(-1, 4).T
    return list(
        http2.messages(Dialogue("api.example", 443, options, "Cronet/1", *columns, np.random.default_rng(1), 0))
    )


def test_every_stream_has_its_head_its_answer_and_its_bytes():
    messages = said([(0, 300, 500, 9), (10**6, 5_000, 0, 9), (2 * 10**6, 17, 17, 9)])
    one, other = streams(messages)
    assert (one.asked[":method"], one.asked[":authority"], one.answered[":status"]) == ("GET", "api.example", "200")
    assert (one.up, one.down) == (300, 500)
    assert (other.asked[":method"], other.answered[":status"], other.up) == ("POST", "204", 5_000)
    assert messages[one.first].from_client
    assert not messages[one.last].from_client
    assert one.last < other.first


def test_frames_cut_over_messages_are_joined():
    cut = [
        Message(m.time, m.from_client, m.data[at : at + 7])
        for m in said([(0, 300, 20_000, 9)])
        for at in range(24 if m.data.startswith(http2.PREFACE) else 0, len(m.data), 7)
    ]
    (whole,), (parts,) = streams(said([(0, 300, 20_000, 9)])), streams(cut)
    assert (whole.up, whole.down, whole.asked) == (parts.up, parts.down, parts.asked)


def test_what_h2_says_is_read_trailers_and_all():
    client, server = H2Connection(), H2Connection(H2Configuration(client_side=False))
    client.initiate_connection()
    server.initiate_connection()
    head = [(":method", "GET"), (":path", "/"), (":authority", "x.example"), (":scheme", "https")]
    client.send_headers(1, head, end_stream=True, priority_weight=7)
    asked = Message(0, True, client.data_to_send())
    server.receive_data(asked.data)
    server.send_headers(1, [(":status", "200")])
    server.send_data(1, b"body", pad_length=9)
    server.send_headers(1, [("grpc-status", "0")], end_stream=True)
    (stream,) = streams([asked, Message(1, False, server.data_to_send())])
    assert stream.asked[":authority"] == "x.example"
    assert stream.answered == {":status": "200", "grpc-status": "0"}


def test_a_connection_without_requests_has_no_streams():
    assert streams(said([])) == []
