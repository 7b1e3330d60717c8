"""SMTP submission (RFC 6409, RFC 5321) of a phone's mail app: EHLO, AUTH PLAIN (RFC 4954), mails with dot-stuffing.

TLS from the first byte, as RFC 8314 asks for on port 465, is tls.py's; STARTTLS (RFC 3207) is asked for here and the
stage secures what follows.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime

import numpy as np

from lab.protocols import Dialogue, Message, exchanges, filler_text, moved_behind

TRANSPORT = "tcp"

_LOGIN_US = (2_000, 90_000)  # a server that looks a password up
_LINE = 76  # characters of mail text a line, RFC 2045 section 6.8
_REPLY = 512  # bytes of a reply line, at most, RFC 5321 section 4.5.3.1.5
_OK, _GO = b"250 2.1.0 Ok\r\n", b"354 End data with <CR><LF>.<CR><LF>\r\n"
_NOOP, _END, _QUIT = b"NOOP\r\n", b".\r\n", b"QUIT\r\n"
_DOTTED = bytes.maketrans(b"_", b".")  # text whose lines begin with a full stop now and then


@dataclass(frozen=True)
class _Sender:
    """Who submits: the account and its address, the server's name."""

    rng: np.random.Generator
    address: bytes
    password: bytes
    server: bytes


def messages(dialogue: Dialogue) -> Iterator[Message]:
    """Greeting, EHLO and AUTH PLAIN when the conversation opens, one mail per exchange, QUIT after the last one.

    ``up`` counts MAIL, RCPT, DATA and the text, line ends included, ``down`` the four replies; the delay is spread over
    them. Less ``up`` than the smallest mail (about 400 bytes) is a NOOP, and so is 0: a submission server never speaks
    unasked. Replies are never shorter than their words (about 95 bytes for a mail). Options: ``user`` (an address),
    ``quit`` yes (default) or no, ``starttls`` "1": log-in and mails behind an upgrade to TLS, with a second EHLO, as
    section 4.2 of RFC 3207 wants it. Nothing is said without an exchange and a ``start``.
    """
    if dialogue.start is None and not len(dialogue.time):
        return
    sender, ready = _sender(dialogue), dialogue.opened
    for message in _setup(dialogue, sender):
        yield message
        ready = message.time
    last = Message(ready, False, b"")
    for last in moved_behind(_talk(dialogue, sender), ready):
        yield last
    if dialogue.options.get("quit", "yes") != "no":
        yield Message(last.time, True, _QUIT)
        yield Message(last.time, False, b"221 2.0.0 Bye\r\n")


def _sender(dialogue: Dialogue) -> _Sender:
    rng = dialogue.rng
    user = dialogue.options.get("user", "").encode("ascii") or filler_text(rng, 7).lower() + b"@mail.example"
    server = dialogue.host.encode("ascii")
    named = any(letter.isalpha() for letter in dialogue.host)
    return _Sender(rng, user, filler_text(rng, 16), server if named else b"[%b]" % server)


def _setup(dialogue: Dialogue, sender: _Sender) -> Iterator[Message]:
    """An address literal in EHLO keeps the phone's own name to itself, RFC 5321 section 4.1.3."""
    time = dialogue.opened
    yield Message(time, False, b"220 %b ESMTP ready\r\n" % sender.server)
    if dialogue.options.get("starttls") == "1":
        yield from _greeted(time, sender, b"STARTTLS")
        yield Message(time, True, b"STARTTLS\r\n")
        yield Message(time, False, b"220 2.0.0 Ready to start TLS\r\n", upgrades=True)
    yield from _greeted(time, sender, b"AUTH PLAIN LOGIN")
    secret = base64.b64encode(b"\0%b\0%b" % (sender.address, sender.password))
    yield Message(time, True, b"AUTH PLAIN %b\r\n" % secret)
    time += int(dialogue.rng.integers(*_LOGIN_US))
    yield Message(time, False, b"235 2.7.0 Authentication successful\r\n")


def _greeted(time: int, sender: _Sender, secret: bytes) -> Iterator[Message]:
    """EHLO and what the server offers; a server without TLS offers no log-in where it offers STARTTLS."""
    yield Message(time, True, b"EHLO [127.0.0.1]\r\n")
    offered = (sender.server, b"PIPELINING", b"SIZE 52428800", secret, b"ENHANCEDSTATUSCODES", b"8BITMIME")
    lines = (b"250%b%b\r\n" % (b" " if one == offered[-1] else b"-", one) for one in offered)
    yield Message(time, False, b"".join(lines))


def _talk(dialogue: Dialogue, sender: _Sender) -> Iterator[Message]:
    for time, up, down, delay in exchanges(dialogue):
        to = filler_text(sender.rng, 9).lower() + b"@post.example"
        envelope = (b"MAIL FROM:<%b>\r\n" % sender.address, b"RCPT TO:<%b>\r\n" % to, b"DATA\r\n")
        head = _head(dialogue, sender, time, to)
        room = up - sum(map(len, (*envelope, head, _END)))
        if room > 0:
            body = head + text(sender.rng, room) + _END
            yield from _mail((*envelope, body), time, delay, _queued(sender.rng, down))
        else:
            yield Message(time, True, _NOOP)
            yield Message(time + delay, False, _reply(sender.rng, b"2.0.0 Ok", down))


def _mail(said: tuple[bytes, ...], time: int, delay: int, queued: bytes) -> Iterator[Message]:
    """Command by command, each answered before the next: nobody pipelines here. The delay lies mostly at the end."""
    steps = [delay * done // 8 for done in (0, 1, 2, 3, 8)]
    for command, reply, asked, answered in zip(said, (_OK, _OK, _GO, queued), steps, steps[1:], strict=False):
        yield Message(time + asked, True, command)
        yield Message(time + answered, False, reply)


def _head(dialogue: Dialogue, sender: _Sender, time: int, to: bytes) -> bytes:
    """Header fields and the blank line, RFC 5322 section 3.6; the date is the message's own."""
    date = format_datetime(datetime.fromtimestamp(time // 1_000_000, UTC)).encode()
    fields = (b"Date: " + date, b"From: <%b>" % sender.address, b"To: <%b>" % to)
    marks = (b"Subject: " + filler_text(sender.rng, 12), b"Message-ID: <%b@mail.example>" % filler_text(sender.rng, 20))
    kind = (b"MIME-Version: 1.0", b"Content-Type: text/plain; charset=us-ascii")
    return b"".join(
        line + b"\r\n" for line in (*fields, *marks, b"User-Agent: " + _printable(dialogue.agent), *kind, b"")
    )


def _printable(agent: str) -> bytes:
    return agent.encode("ascii", "replace") or b"mail"


def text(rng: np.random.Generator, size: int) -> bytes:
    """Lines of mail text that take exactly ``size`` bytes on the wire, line ends and stuffed full stops included.

    Of one byte there is no line: that becomes the empty one, of two.
    """
    whole, rest = divmod(max(size, 2), _LINE)
    widths = [_LINE] * whole + ([rest] if rest else [])
    if rest == 1:
        widths[-2:] = [_LINE - 1, 2]  # no line end in one byte
    letters, lines, at = filler_text(rng, size).translate(_DOTTED), [], 0
    for width in widths:
        line = letters[at : at + width - 2]
        lines.append(stuffed(line[:-1] if line.startswith(b".") else line).ljust(width - 2, b"=") + b"\r\n")
        at += width
    return b"".join(lines)


def stuffed(line: bytes) -> bytes:
    """A line of mail text as it is sent: with one more full stop before a first one, RFC 5321 section 4.5.2.

    >>> stuffed(b".profile"), stuffed(b"a.b")
    (b'..profile', b'a.b')
    """
    return b"." + line if line.startswith(b".") else line


def _queued(rng: np.random.Generator, down: int) -> bytes:
    return _reply(rng, b"2.0.0 Ok: queued as", down - 2 * len(_OK) - len(_GO))


def _reply(rng: np.random.Generator, words: bytes, size: int) -> bytes:
    """A positive reply of ``size`` bytes, of several lines where one may not be so long; never short of its words."""
    lines, frame = [], len(b"250 \r\n")
    while size > _REPLY:
        width = min(_REPLY, size - frame - len(words)) - frame
        lines.append(b"250-%b\r\n" % filler_text(rng, width))
        size -= frame + width
    spare = size - frame - len(words) - 1
    lines.append(b"250 %b%b\r\n" % (words, b" " + filler_text(rng, spare) if spare > 0 else b""))
    return b"".join(lines)
