"""DNS over HTTPS (RFC 8484): the messages of ``dns`` in HTTP/2 requests (RFC 9113), one stream each.

The frames are those of hyper-h2, asked on both sides; nothing in it draws. It travels under TLS to port 443.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, field

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.settings import SettingCodes

from lab.protocols import Dialogue, Message, exchanges, moved_behind
from lab.protocols.dns import lookup

TRANSPORT = "tcp"
ALPN = "h2"

_PATH = "/dns-query"
_MEDIA = "application/dns-message"
_FRAME = 9  # bytes in front of every frame, RFC 9113 section 4.1
_OF_GET = 0.92  # bytes of a question per byte of a path that holds it in base64, Huffman-coded; as measured
_LARGEST_FRAME = 1 << 14  # SETTINGS_MAX_FRAME_SIZE as it is at first, RFC 9113 section 6.5.2
_METHODS = ("POST", "GET")
_SETTINGS_US = (200, 3_000)  # a server that only has to answer settings
_WINDOW = 1 << 20  # what OkHttp and Cronet grant is of this size or larger
_LARGEST = 0xFFFF
_Fields = list[tuple[str, str]]
_ZERO = b"\0\0"  # RFC 8484 section 4.1: identifier 0, for caches


@dataclass
class _Ends:
    """Both sides of one connection."""

    client: H2Connection = field(default_factory=lambda: H2Connection(H2Configuration(header_encoding="utf-8")))
    server: H2Connection = field(
        default_factory=lambda: H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
    )


def messages(dialogue: Dialogue) -> Iterator[Message]:
    """Settings when the conversation opens, then one request and one answer per exchange.

    ``up`` and ``down`` include frames and fields, and are met within some bytes; a GET's within a tenth. Options:
    ``method`` POST (default) or GET; ``path`` (default /dns-query); ``host``, the :authority if it is not the
    dialogue's; those of ``dns``, where ``zone`` is what is asked about, else names lie under the dialogue's host.
    Without an exchange settings are said only if the dialogue has a ``start``. ValueError as ``dns`` has it, and for
    another method.
    """
    if dialogue.start is None and not len(dialogue.time):
        return
    method = dialogue.options.get("method", "POST")
    if method not in _METHODS:
        raise ValueError(f"method {method!r}: known are {', '.join(_METHODS)}")
    ends = _Ends()
    ready = dialogue.opened + int(dialogue.rng.integers(*_SETTINGS_US))
    _open(ends)
    yield Message(dialogue.opened, True, _heard(ends.client, ends.server))
    yield Message(ready, False, _heard(ends.server, ends.client))
    yield Message(ready, True, _heard(ends.client, ends.server))
    yield from moved_behind(_talk(dialogue, ends, method), ready)


def _open(ends: _Ends) -> None:
    """Preface, settings and the client's grant of a window for the whole connection."""
    ends.server.initiate_connection()
    ends.client.local_settings.update({SettingCodes.ENABLE_PUSH: 0, SettingCodes.INITIAL_WINDOW_SIZE: _WINDOW})
    ends.client.initiate_connection()
    ends.client.increment_flow_control_window(_WINDOW)


def _heard(speaker: H2Connection, listener: H2Connection) -> bytes:
    """What one side has to say, which the other reads."""
    said: bytes = speaker.data_to_send()
    listener.receive_data(said)
    return said


def _talk(dialogue: Dialogue, ends: _Ends, method: str) -> Iterator[Message]:
    for time, up, down, delay in exchanges(dialogue):
        room = up - _size(ends.client, _request(dialogue, method, b""))
        room = int(room * _OF_GET) if method == "GET" else room - _FRAME
        spare = down - _size(ends.server, _reply(dialogue, down)) - _FRAME
        spare -= max(0, spare - 1) // _LARGEST_FRAME * _FRAME
        asked, told = max(1, room) if up else 0, max(1, min(spare, _LARGEST)) if down else 0
        question, answer = lookup(dialogue, asked, told, ident=_ZERO)
        stream = ends.client.get_next_available_stream_id()
        body = b"" if method == "GET" else question
        yield Message(time, True, _said(ends.client, ends.server, stream, _request(dialogue, method, question), body))
        yield Message(
            time + delay, False, _said(ends.server, ends.client, stream, _reply(dialogue, len(answer)), answer)
        )


def _request(dialogue: Dialogue, method: str, question: bytes) -> _Fields:
    path = dialogue.options.get("path", _PATH)
    if method == "GET":
        path += "?dns=" + base64.urlsafe_b64encode(question).rstrip(b"=").decode("ascii")
    authority = dialogue.options.get("host") or dialogue.host
    fields = [(":method", method), (":scheme", "https"), (":authority", authority), (":path", path)]
    fields += [("accept", _MEDIA), ("user-agent", dialogue.agent)]
    return fields + ([("content-type", _MEDIA), ("content-length", str(len(question)))] if method == "POST" else [])


def _reply(dialogue: Dialogue, size: int) -> _Fields:
    fields = [(":status", "200"), ("content-type", _MEDIA), ("content-length", str(size))]
    return [*fields, ("cache-control", f"max-age={dialogue.options.get('ttl', '300')}")]


def _size(speaker: H2Connection, fields: _Fields) -> int:
    """Bytes of the frame in which these fields would go now, were they said."""
    encoder = copy(speaker.encoder)
    encoder.header_table = copy(encoder.header_table)
    encoder.header_table.dynamic_entries = copy(encoder.header_table.dynamic_entries)
    return _FRAME + len(encoder.encode(fields))


def _said(speaker: H2Connection, listener: H2Connection, stream: int, fields: _Fields, body: bytes) -> bytes:
    """Fields and body of a request or an answer, which the other side reads at once."""
    speaker.send_headers(stream, fields, end_stream=not body)
    for at in range(0, len(body), _LARGEST_FRAME):
        piece = body[at : at + _LARGEST_FRAME]
        speaker.send_data(stream, piece, end_stream=at + len(piece) == len(body))
    said = _heard(speaker, listener)
    if body:
        listener.acknowledge_received_data(len(body), stream)
    return said
