import base64

import dnslib
import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RequestReceived, ResponseReceived, StreamEnded
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.protocols.doh import messages

SIZES = st.lists(st.tuples(st.integers(0, 500), st.integers(0, 40_000)), min_size=1, max_size=5)


def heard(said):
    """What a server and a client of their own read: fields and body per stream and side."""
    ends = {True: H2Connection(H2Configuration(client_side=False, header_encoding="utf-8")), False: None}
    ends[False] = H2Connection(H2Configuration(header_encoding="utf-8"))
    ends[False].local_settings.initial_window_size = 1 << 20  # as the client that is read grants it
    for end in ends.values():
        end.initiate_connection()
    ends[False].increment_flow_control_window(1 << 20)
    fields, bodies, ended = {}, {}, set()
    for message in said:
        if message.from_client:
            sent = message.data
            for event in ends[True].receive_data(sent):
                if isinstance(event, RequestReceived):
                    fields[True, event.stream_id] = dict(event.headers)
                    mirror(ends[False], event)
                elif isinstance(event, DataReceived):
                    bodies[True, event.stream_id] = bodies.get((True, event.stream_id), b"") + event.data
                elif isinstance(event, StreamEnded):
                    ended.add((True, event.stream_id))
        else:
            for event in ends[False].receive_data(message.data):
                if isinstance(event, ResponseReceived):
                    fields[False, event.stream_id] = dict(event.headers)
                elif isinstance(event, DataReceived):
                    bodies[False, event.stream_id] = bodies.get((False, event.stream_id), b"") + event.data
                    ends[False].acknowledge_received_data(len(event.data), event.stream_id)
                elif isinstance(event, StreamEnded):
                    ended.add((False, event.stream_id))
    return fields, bodies, ended


def mirror(client, event):
    """The reading client has asked, too, or it would not take the answer."""
    client.send_headers(event.stream_id, list(event.headers), end_stream=True)


@settings(deadline=None, max_examples=40)
@given(SIZES, st.sampled_from(["A", "TXT", "HTTPS"]), st.sampled_from(["POST", "GET"]))
def test_another_http2_reads_every_question_and_answer(dialogue, pairs, qtype, method):
    rows = [(i * 10**6, up, down, 5) for i, (up, down) in enumerate(pairs)]
    fields, bodies, ended = heard(messages(dialogue(rows, qtype=qtype, method=method, host="dns.vendor.example")))
    streams = [1 + 2 * i for i in range(len(pairs))]
    assert ended == {(side, stream) for stream in streams for side in (True, False)}
    for stream in streams:
        asked = fields[True, stream]
        path, _, written = asked[":path"].partition("?dns=")
        assert (asked[":method"], asked[":authority"], path) == (method, "dns.vendor.example", "/dns-query")
        raw = bodies.get((True, stream)) or base64.urlsafe_b64decode(written + "=" * (-len(written) % 4))
        question, answer = dnslib.DNSRecord.parse(raw), dnslib.DNSRecord.parse(bodies[False, stream])
        assert (question.header.id, question.q) == (0, answer.q)
        assert fields[False, stream]["content-length"] == str(len(bodies[False, stream]))


def test_sizes_are_met_within_some_bytes(dialogue):
    rows = [(i * 10**6, 160 + 7 * i, 300 + 900 * i, 5) for i in range(10)]
    said = list(messages(dialogue(rows, qtype="TXT", host="dns.vendor.example")))[3:]
    for (_, up, down, _), asked, answered in zip(rows, said[::2], said[1::2], strict=True):
        assert abs(len(asked.data) - up) <= 2
        assert abs(len(answered.data) - down) <= 12


def test_settings_come_when_the_connection_opens(dialogue):
    said = list(messages(dialogue([(10**6, 160, 300, 5)], start=0)))
    assert [m.from_client for m in said] == [True, False, True, True, False]
    assert said[0].time == 0
    assert said[3].time == 10**6


def test_an_unknown_method_is_refused(dialogue):
    with pytest.raises(ValueError, match="known are POST, GET"):
        list(messages(dialogue([(0, 1, 1, 1)], method="PUT")))
