"""Both sides of lab.protocols.websocket are played against wsproto as a server."""

from __future__ import annotations

import asyncio

import pytest
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, BytesMessage, Ping, Request

from lab.stages.live.servers.image.websocket import WebSocketVoice


def said_by(voice, data):
    return asyncio.run(voice.say(data))


ROWS = ((0, 300, 70_000, 0), (5, 20, 20, 0), (9, 0, 500, 0), (11, 0, 9, 0))


def test_every_turn_of_a_script_is_heard_and_said_with_its_size(plans, part_of):
    part = part_of(plans.Talk(0, "websocket", ("198.18.0.1", 80), ROWS, options={"ping_below": "99"}))
    voice, client_turns = WebSocketVoice(), 0
    for turn in part.script.turns:
        data = part.plan.bytes_of(turn)
        if turn.from_client:
            client_turns += 1
            half = len(data) // 2
            assert voice.hear(bytes(data[:half])) == client_turns - 1
            assert voice.hear(bytes(data[half:])) == client_turns
        else:
            said = said_by(voice, data)
            assert len(said) == turn.size
            if turn is not part.script.turns[1]:
                assert bytes(said) == bytes(data)
    assert client_turns == 4


def test_a_real_client_accepts_it():
    client, voice = WSConnection(ConnectionType.CLIENT), WebSocketVoice()
    assert voice.hear(client.send(Request(host="a", target="/"))) == 1
    client.receive_data(said_by(voice, bytes(200)))
    client.receive_data(said_by(voice, b"\x82\x03abc"))
    client.receive_data(said_by(voice, b"\x89\x02hi"))
    accepted, message, ping = client.events()
    assert isinstance(accepted, AcceptConnection)
    assert isinstance(message, BytesMessage)
    assert bytes(message.data) == b"abc"
    assert isinstance(ping, Ping)
    assert voice.hear(client.send(ping.response())) == 2


@pytest.mark.parametrize("size", [0, 129, 137, 138, 400])
def test_the_acceptance_is_never_shorter_than_it_must_be(size):
    client, voice = WSConnection(ConnectionType.CLIENT), WebSocketVoice()
    voice.hear(client.send(Request(host="a", target="/")))
    said = said_by(voice, bytes(size))
    client.receive_data(said)
    assert isinstance(next(iter(client.events())), AcceptConnection)
    assert len(said) == size or len(said) < 140


@pytest.mark.parametrize("data", [b"POST / HTTP/1.1\r\n\r\n", b"\x00" * 40 + b"\r\n\r\n"])
def test_what_is_no_websocket_is_a_value_error(data):
    with pytest.raises(ValueError, match="websocket"):
        WebSocketVoice().hear(data)


def test_a_frame_that_no_script_has_is_a_value_error():
    client, voice = WSConnection(ConnectionType.CLIENT), WebSocketVoice()
    voice.hear(client.send(Request(host="a", target="/")))
    said_by(voice, bytes(200))
    with pytest.raises(ValueError, match="opcode 8"):
        said_by(voice, b"\x88\x00")
