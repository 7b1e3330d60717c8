import pytest
import wsproto
from hypothesis import given
from hypothesis import strategies as st
from wsproto.events import AcceptConnection, BytesMessage, Ping, Pong, Request, TextMessage
from wsproto.frame_protocol import FrameProtocol

from lab.protocols.websocket import messages

SIZES = st.one_of(st.integers(0, 140), st.integers(65_500, 65_600), st.integers(0, 300_000))


def read(dialogue):
    """The upgrade request, and (from_client, event) of every frame as wsproto reads them on the other side."""
    server, frames, found = wsproto.WSConnection(wsproto.ConnectionType.SERVER), None, []
    said = list(messages(dialogue))
    server.receive_data(said[0].data)
    request = next(server.events())
    accept = server.send(AcceptConnection())
    assert said[1].data.split(b"\r\n")[0] == accept.split(b"\r\n")[0].rstrip()
    assert set(said[1].data.split(b"\r\n")[1:]) == set(accept.split(b"\r\n")[1:])
    frames = FrameProtocol(client=True, extensions=[])
    for message in said[2:]:
        if message.from_client:
            server.receive_data(message.data)
            found += [(True, event, len(message.data)) for event in server.events()]
        else:
            frames.receive_bytes(message.data)
            found += [(False, frame, len(message.data)) for frame in frames.received_frames()]
    return request, found


@given(st.lists(st.tuples(SIZES, SIZES), min_size=1, max_size=4), st.sampled_from(["text", "binary"]))
def test_wsproto_reads_every_message(dialogue, pairs, kind):
    request, found = read(dialogue([(i, *pair, 5) for i, pair in enumerate(pairs)], type=kind, path="/chat"))
    assert isinstance(request, Request)
    assert (request.host, request.target) == ("api.vendor.example", "/chat")
    wanted = [(side, size) for pair in pairs for side, size in zip((True, False), pair, strict=True) if size]
    assert [(side, type(event).__name__) for side, event, _ in found if side] == [
        (True, (TextMessage if kind == "text" else BytesMessage).__name__) for side, _ in wanted if side
    ]
    assert len(found) == len(wanted)
    for (side, size), (read_side, _, length) in zip(wanted, found, strict=True):
        smallest = 6 if side else 2
        assert read_side == side
        assert length == max(size, smallest) or 0 < size - length <= 6


def test_most_sizes_are_met_exactly(dialogue):
    said = list(messages(dialogue([(0, 700, 700, 5), (1, 100_000, 100_000, 5)])))[2:]
    assert [len(m.data) for m in said] == [700, 700, 100_000, 100_000]


def test_client_masks_differ_and_the_server_never_masks(dialogue):
    said = list(messages(dialogue([(i, 100, 100, 5) for i in range(50)])))[2:]
    assert len({m.data[2:6] for m in said if m.from_client}) == 50
    assert all(m.data[1] & 0x80 for m in said if m.from_client)
    assert not any(m.data[1] & 0x80 for m in said if not m.from_client)


def test_small_exchanges_are_pings_and_pongs_where_asked(dialogue):
    _, found = read(dialogue([(0, 10, 6, 5), (9, 300, 300, 5), (20, 0, 8, 5)], ping_below="20"))
    kinds = [type(event).__name__ if side else event.opcode.name for side, event, _ in found]
    assert kinds == ["Ping", "PONG", "BytesMessage", "BINARY", "PING", "Pong"]
    assert isinstance(found[0][1], Ping)
    assert isinstance(found[5][1], Pong)
    assert bytes(found[0][1].payload) == bytes(found[1][1].payload)
    said = list(messages(dialogue([(20, 0, 8, 5)], ping_below="20")))
    assert [m.pushed for m in said] == [False, False, True, False]


def test_the_upgrade_comes_when_the_conversation_opens(dialogue):
    said = list(messages(dialogue([(90_000_000, 10, 10, 5)], start=1_000)))
    assert said[0].time == 1_000
    assert said[1].time < 60_000
    assert said[2].time == 90_000_000


def test_a_subprotocol_is_offered_and_accepted_and_an_origin_said(dialogue):
    asked, accepted, *_ = messages(dialogue([(0, 90, 90, 5)], subprotocol="chat.v1", origin="https://app.example"))
    assert b"Sec-WebSocket-Protocol: chat.v1\r\n" in asked.data
    assert b"Origin: https://app.example\r\n" in asked.data
    assert b"Sec-WebSocket-Protocol: chat.v1\r\n" in accepted.data
    asked, accepted, *_ = messages(dialogue([(0, 90, 90, 5)]))
    assert b"Sec-WebSocket-Protocol" not in asked.data + accepted.data


@pytest.mark.tools
def test_tshark_and_suricata_find_nothing_odd(dialogue, malformed, anomalies):
    rows = [(0, 300, 4_000, 50), (10**6, 0, 70_000, 50), (2 * 10**6, 8, 6, 0), (3 * 10**6, 90, 0, 0)]
    talks = [list(messages(dialogue(rows, port=80, type=kind, ping_below="20"))) for kind in ("text", "binary")]
    assert malformed(talks, 80) == []
    assert anomalies(talks, 80) == []
