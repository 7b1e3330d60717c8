"""IMAP (RFC 9051) of a phone's mail app: log-in, SELECT, IDLE (RFC 2177) and its re-issue, EXISTS, FETCH, APPEND.

STARTTLS (section 6.2.1) is asked for here; the stage secures what follows. A mailbox of drafts that two sides write to
is polled by SELECT, SEARCH and FETCH, as mail apps poll folders that they do not idle in.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lab.protocols import Dialogue, Message, exchanges, filler_text, moved_behind

TRANSPORT = "tcp"

_SETUP_US = (2_000, 90_000)  # a server that looks a password up and opens a mailbox
_MODES = ("idle", "drafts")
_CAPABILITY = b"IMAP4rev2 IMAP4rev1 LITERAL+ IDLE"
_SEARCHED = 400  # bytes of ``up`` that a poll of drafts takes, at most; more is a draft to be written
_TERM = 8  # bytes that are searched for, at least
_SMALLEST_DRAFT = 32
_IDLING = b"+ idling\r\n"
_READY = b"+ ready\r\n"
_LINE = 76  # characters of mail text a line, RFC 2045 section 6.8


@dataclass
class _Mailbox:
    """What client and server have agreed on so far."""

    rng: np.random.Generator
    idles: bool
    exists: int
    tag: int = 0

    def next_tag(self) -> bytes:
        self.tag += 1
        return b"A%04d" % self.tag


def messages(dialogue: Dialogue) -> Iterator[Message]:
    """Greeting, LOGIN, SELECT (and IDLE) when the conversation opens, then what fits the sizes of each exchange.

    ``up`` = 0: the server says EXISTS unasked. More up than down: APPEND of a draft of that size. More down: FETCH of
    a new mail. Too small for either: re-issue of IDLE. Sizes count every line of the exchange on that side; beneath
    about 90 up and 130 down they are what the commands need. Options: ``idle`` yes (default) or no, then NOOP takes
    the place of the re-issue; ``user``; ``starttls`` "1": the log-in stands behind an upgrade to TLS; ``mode`` idle
    (default) or drafts: nothing idles, each exchange is SELECT, SEARCH and FETCH of a folder of drafts, ``up`` beyond a
    search of 400 bytes is an APPEND first. Nothing is said without an exchange and a ``start``. ValueError: another
    mode.
    """
    if dialogue.start is None and not len(dialogue.time):
        return
    mode = dialogue.options.get("mode", "idle")
    if mode not in _MODES:
        raise ValueError(f"mode {mode!r}: expected one of {', '.join(_MODES)}")
    idles = mode == "idle" and dialogue.options.get("idle", "yes") != "no"
    mailbox = _Mailbox(dialogue.rng, idles, int(dialogue.rng.integers(5, 4000)))
    ready = dialogue.opened
    for message in _setup(dialogue, mailbox):
        yield message
        ready = message.time
    yield from moved_behind((_talk if mode == "idle" else _drafts)(dialogue, mailbox), ready)


def _setup(dialogue: Dialogue, mailbox: _Mailbox) -> Iterator[Message]:
    time, rng = dialogue.opened, dialogue.rng
    user = dialogue.options.get("user", "").encode("ascii") or filler_text(rng, 7).lower() + b"@mail.example"
    if dialogue.options.get("starttls") == "1":
        yield Message(time, False, b"* OK [CAPABILITY %b STARTTLS LOGINDISABLED] ready\r\n" % _CAPABILITY)
        yield from _upgraded(mailbox, time)
    else:
        yield Message(time, False, b"* OK [CAPABILITY %b] ready\r\n" % _CAPABILITY)
    login = b'LOGIN "%b" "%b"' % (user, filler_text(rng, 16))
    inbox = () if dialogue.options.get("mode") == "drafts" else ((b"SELECT INBOX", _selected(mailbox)),)
    for command, untagged in ((login, b""), *inbox):
        tag = mailbox.next_tag()
        yield Message(time, True, tag + b" " + command + b"\r\n")
        time += int(rng.integers(*_SETUP_US))
        yield Message(time, False, untagged + tag + b" OK done\r\n")
    if mailbox.idles:
        yield Message(time, True, mailbox.next_tag() + b" IDLE\r\n")
        yield Message(time, False, _IDLING)


def _upgraded(mailbox: _Mailbox, time: int) -> Iterator[Message]:
    """What was offered in clear is forgotten: capabilities are asked for again behind the handshake."""
    tag = mailbox.next_tag()
    yield Message(time, True, tag + b" STARTTLS\r\n")
    yield Message(time, False, tag + b" OK Begin TLS negotiation now\r\n", upgrades=True)
    tag = mailbox.next_tag()
    yield Message(time, True, tag + b" CAPABILITY\r\n")
    yield Message(time, False, b"* CAPABILITY %b\r\n%b OK done\r\n" % (_CAPABILITY, tag))


def _selected(mailbox: _Mailbox) -> bytes:
    flags = b"* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)\r\n"
    count = b"* %d EXISTS\r\n" % mailbox.exists
    return flags + count + b"* OK [UIDVALIDITY 1] UIDs valid\r\n* OK [UIDNEXT %d] next\r\n" % (mailbox.exists + 1)


def _talk(dialogue: Dialogue, mailbox: _Mailbox) -> Iterator[Message]:
    for time, up, down, delay in exchanges(dialogue):
        if not up:
            if down:
                yield Message(time + delay, False, _pushed(mailbox, down), pushed=True)
        elif max(up, down) < _smallest_transfer(mailbox):
            yield from _rounds(mailbox, time, delay, b"" if mailbox.idles else b"NOOP", b"")
        elif up > down:
            yield from _append(mailbox, time, up, delay)
        else:
            yield from _fetch(mailbox, time, down, delay)


def _drafts(dialogue: Dialogue, mailbox: _Mailbox) -> Iterator[Message]:
    """SELECT, SEARCH and FETCH per exchange, the delay spread over them; a large ``up`` writes a draft first."""
    for time, up, down, delay in exchanges(dialogue):
        if not up and down:
            yield Message(time + delay, False, _pushed(mailbox, down), pushed=True)
            continue
        rounds = _poll(mailbox, down)
        spare = up - sum(len(b"A0001 \r\n" + command) for command, _ in rounds)
        if up > _SEARCHED:
            yield from _append(mailbox, time, spare - _TERM, 0)
        term = filler_text(mailbox.rng, _TERM if up > _SEARCHED else max(_TERM, spare))
        rounds[1] = (rounds[1][0][:-1] + term + b'"', rounds[1][1])
        for k, (command, untagged) in enumerate(rounds):
            tag = mailbox.next_tag()
            yield Message(time + delay * k // len(rounds), True, tag + b" " + command + b"\r\n")
            yield Message(time + delay * (k + 1) // len(rounds), False, untagged + tag + b" OK done\r\n")


def _poll(mailbox: _Mailbox, down: int) -> list[tuple[bytes, bytes]]:
    """Commands, the search's term left out, and their untagged answers; the newest is fetched if ``down`` has room."""
    number, opened = mailbox.exists, _selected(mailbox)
    search = b'UID SEARCH SUBJECT ""'
    told, head = b"* SEARCH %d\r\n" % number, b"* %d FETCH (UID %d BODY[] {" % (number, number)
    room = down - len(opened + told + head + b"}\r\n)\r\n") - 3 * len(b"A0001 OK done\r\n")
    if room < _SMALLEST_DRAFT:
        return [(b"SELECT Drafts", opened), (search, b"* SEARCH\r\n")]
    size = _fitting(room)
    mail = head + b"%d}\r\n" % size + _mail(mailbox.rng, size) + b")\r\n"
    return [(b"SELECT Drafts", opened), (search, told), (b"UID FETCH %d BODY.PEEK[]" % number, mail)]


def _smallest_transfer(mailbox: _Mailbox) -> int:
    return 130 if mailbox.idles else 80


def _pushed(mailbox: _Mailbox, size: int) -> bytes:
    """EXISTS, and where there is room a status text, which RFC 9051 section 7.1 allows at any time."""
    mailbox.exists += 1
    said = b"* %d EXISTS\r\n" % mailbox.exists
    spare = size - len(said) - len(b"* OK \r\n")
    return said if spare < 1 else said + b"* OK " + filler_text(mailbox.rng, spare) + b"\r\n"


def _rounds(mailbox: _Mailbox, time: int, delay: int, command: bytes, untagged: bytes) -> Iterator[Message]:
    """One command with its answer, DONE before and IDLE after it where the client idles; no command: only those."""
    yield from _interrupted(mailbox, time, delay)
    time += delay
    if command:
        tag = mailbox.next_tag()
        yield Message(time, True, tag + b" " + command + b"\r\n")
        yield Message(time, False, untagged + tag + b" OK done\r\n")
    yield from _resumed(mailbox, time)


def _fetch(mailbox: _Mailbox, time: int, down: int, delay: int) -> Iterator[Message]:
    fixed = len(b"A0001 OK done\r\n") * (2 if mailbox.idles else 1) + (len(_IDLING) if mailbox.idles else 0)
    head = b"* %d FETCH (UID %d BODY[] {" % (mailbox.exists, mailbox.exists)
    size = _fitting(down - fixed - len(head) - len(b"}\r\n)\r\n"))
    answer = head + b"%d}\r\n" % size + _mail(mailbox.rng, size) + b")\r\n"
    yield from _rounds(mailbox, time, delay, b"UID FETCH %d BODY.PEEK[]" % mailbox.exists, answer)


def _append(mailbox: _Mailbox, time: int, up: int, delay: int) -> Iterator[Message]:
    """A draft as a synchronising literal: the server is asked before the text is sent, RFC 9051 section 4.3."""
    fixed = len(b"DONE\r\n") + len(b"A0001 IDLE\r\n") if mailbox.idles else 0
    head = b"A0001 APPEND Drafts (\\Draft) {"
    size = _fitting(up - fixed - len(head) - len(b"}\r\n\r\n"))
    yield from _interrupted(mailbox, time, delay)
    time += delay
    tag = mailbox.next_tag()
    yield Message(time, True, tag + head[5:] + b"%d}\r\n" % size)
    yield Message(time, False, _READY)
    yield Message(time, True, _mail(mailbox.rng, size) + b"\r\n")
    yield Message(time, False, tag + b" OK done\r\n")
    yield from _resumed(mailbox, time)


def _interrupted(mailbox: _Mailbox, time: int, delay: int) -> Iterator[Message]:
    if mailbox.idles:
        yield Message(time, True, b"DONE\r\n")
        yield Message(time + delay, False, b"A%04d OK done\r\n" % mailbox.tag)


def _resumed(mailbox: _Mailbox, time: int) -> Iterator[Message]:
    if mailbox.idles:
        yield Message(time, True, mailbox.next_tag() + b" IDLE\r\n")
        yield Message(time, False, _IDLING)


def _fitting(room: int) -> int:
    """The largest literal that fits ``room`` bytes together with the digits of its own length, at least 1."""
    size = max(1, room - 1)
    while size > 1 and size + len(str(size)) > room:
        size -= 1
    return size


def _mail(rng: np.random.Generator, size: int) -> bytes:
    """Mail text of ``size`` bytes: a header field, a blank line, encoded-looking lines; less where there is no room."""
    head = b"Subject: " + filler_text(rng, 12) + b"\r\n\r\n"
    text = filler_text(rng, max(0, size - len(head)))
    lines = b"\r\n".join(text[at : at + _LINE - 2] for at in range(0, len(text), _LINE))
    return (head + lines)[:size].ljust(size, b"=")
