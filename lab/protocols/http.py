"""HTTP/1.1 requests and answers (RFC 9112) through h11: one keep-alive connection, inert bodies."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import h11

from lab.protocols import Dialogue, Message, exchanges, filler, filler_text, filler_xml

TRANSPORT = "tcp"

BODILESS = frozenset({"GET", "HEAD", "DELETE"})  # RFC 9110 section 9.3: content has no defined meaning
_LONGEST_TARGET = 4096  # RFC 9110 section 4.1 asks for 8000; common servers stop at 4 to 8 KiB
_XML = ("text/xml", "application/xml")  # types whose bodies sensors read as documents
_Headers = tuple[tuple[str, str], ...]


def messages(dialogue: Dialogue) -> Iterator[Message]:
    """Requests and answers of ``up`` and ``down`` bytes, headers included; never fewer than their headers.

    Options: ``method`` (default GET, POST where ``up`` exceeds what a target holds), ``path``, ``content_type``. A GET
    carries its size in the query. ``host``: the Host header's name where it is not the server's (domain fronting).
    A long poll is an exchange with a long delay. HTTP/1.1 knows neither a server that speaks first nor a request
    without an answer: ``up`` = 0 is the smallest request and ``down`` = 0 a 204 without a body. Nobody announces the
    last exchange. Bodies are filler, of a type of XML one document.
    """
    for time, up, down, delay in exchanges(dialogue):
        said = method_of(dialogue, up)
        request = _query(dialogue, said, up) if said in BODILESS else _upload(dialogue, said, up)
        yield Message(time, from_client=True, data=request)
        yield Message(time + delay, from_client=False, data=_answer(dialogue, said, down))


def method_of(dialogue: Dialogue, up: int) -> str:
    """The method of a request of ``up`` bytes: the option's, else POST where a target does not hold them."""
    return dialogue.options.get("method", "").upper() or ("POST" if up > _LONGEST_TARGET else "GET")


def authority(dialogue: Dialogue) -> str:
    """The Host header's value: the port only where it is not a default one, IPv6 in brackets (RFC 3986 section 3.2).

    Option ``host`` takes the place of the server's name.

    >>> import numpy as np; none = np.empty(0, np.int64)
    >>> authority(Dialogue("2001:db8::1", 8080, {}, "", none, none, none, none, np.random.default_rng(0)))
    '[2001:db8::1]:8080'
    """
    host = dialogue.options.get("host") or dialogue.host
    host = f"[{host}]" if ":" in host else host
    return host if dialogue.port in {80, 443} else f"{host}:{dialogue.port}"


def _query(dialogue: Dialogue, method: str, up: int) -> bytes:
    path = dialogue.options.get("path", "/")
    head = _request_head(method, path, _common(dialogue))
    spare = min(up - len(head), _LONGEST_TARGET - len(path)) - len("?q=")
    if spare < 1:
        return head
    cut = len(method) + 1 + len(path)
    return b"%b?q=%b%b" % (head[:cut], filler_text(dialogue.rng, spare), head[cut:])


def _upload(dialogue: Dialogue, method: str, up: int) -> bytes:
    headers = (*_common(dialogue), ("Content-Type", content_type(dialogue)), ("Content-Length", "0"))
    return _fitted(dialogue, _request_head(method, dialogue.options.get("path", "/"), headers), up)


def _answer(dialogue: Dialogue, method: str, down: int) -> bytes:
    server = ("Server", "nginx")
    if not down:
        return _answer_head(204, "No Content", (server, ("Connection", "keep-alive")))
    headers = (server, ("Content-Type", content_type(dialogue)), ("Connection", "keep-alive"), ("Content-Length", "0"))
    head = _answer_head(200, "OK", headers)
    return head if method == "HEAD" else _fitted(dialogue, head, down)


def _common(dialogue: Dialogue) -> _Headers:
    return (
        ("Host", authority(dialogue)),
        ("User-Agent", dialogue.agent),
        ("Accept", "*/*"),
        ("Accept-Encoding", "gzip"),
        ("Connection", "Keep-Alive"),
    )


def content_type(dialogue: Dialogue) -> str:
    """The type of bodies in both directions."""
    return dialogue.options.get("content_type", "application/octet-stream")


_EMPTY = b"0\r\n\r\n"  # how a head ends whose last header is Content-Length: 0


def _fitted(dialogue: Dialogue, head: bytes, size: int) -> bytes:
    """The head with a body such that both together have ``size`` bytes, or no body if the head is longer.

    One size in each decade cannot be met, because its Content-Length needs a digit more: it becomes one byte more.
    """
    frame = len(head) - 1
    body = max(0, size - frame - 1)
    while body and frame + len(str(body)) + body > size and frame + len(str(body - 1)) + body - 1 >= size:
        body -= 1
    written = filler_xml if content_type(dialogue).startswith(_XML) else filler
    return b"%b%d\r\n\r\n%b" % (head[: -len(_EMPTY)], body, written(dialogue.rng, body))


@lru_cache(maxsize=4096)
def _request_head(method: str, path: str, headers: _Headers) -> bytes:
    """What h11 writes for a request; raises h11.LocalProtocolError on a method, path or header RFC 9112 forbids."""
    said = h11.Connection(h11.CLIENT).send(h11.Request(method=method, target=path, headers=list(headers)))
    assert said is not None
    return said


@lru_cache(maxsize=4096)
def _answer_head(status: int, reason: str, headers: _Headers) -> bytes:
    server = h11.Connection(h11.SERVER)
    server.receive_data(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    server.next_event()
    said = server.send(h11.Response(status_code=status, reason=reason.encode(), headers=list(headers)))
    assert said is not None
    return said
