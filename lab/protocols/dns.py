"""DNS over UDP (RFC 1035, EDNS0 of RFC 6891): plain look-ups, and questions and answers of a given size."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from functools import lru_cache

import dnslib
import numpy as np

from lab.protocols import Dialogue, Message, exchanges, filler, filler_text

TRANSPORT = "udp"

_LARGEST_ANSWER = 1232  # bytes; DNS flag day 2020, what resolvers announce and answer
_LONGEST_NAME = 255  # bytes on the wire, RFC 1035 section 2.3.4
_LONGEST_LABEL = 63
_SHORTEST_UNIQUE = 8  # characters: 40 bits keep questions apart
_HEADER, _TYPE_CLASS, _OPT = 12, 4, 11
_RECORD = 12  # compressed owner, type, class, TTL and RDLENGTH in front of an answer's data
_TTL_S = 300  # of answers without the option, and of the news that there is none (RFC 2308)
_HOST_SAFE = b"abcdefghijklmnopqrstuvwxyz234567" * 8  # RFC 4648 base32, lower case
_ALPN = 1  # SvcParamKey, RFC 9460 section 14.3.2
_ADDRESSED = {"A": 4, "AAAA": 6}


def messages(dialogue: Dialogue) -> Iterator[Message]:
    """One question and one answer per exchange.

    ``up`` = 0 asks for ``host`` itself; otherwise for a name never asked before under its registrable name (the last
    two labels: lab names end in .example or .test), as long as makes the message ``up`` bytes, within RFC 1035's 255.
    Options: ``qtype`` A (default), AAAA, TXT, NULL or HTTPS; ``zone``, asked about instead of ``host``; ``answer``, the
    address an A or AAAA question gets, else one of 198.18.0.0/15; ``alpn``, what HTTPS records say is spoken ("h2,h3",
    RFC 9460 section 7.1), else there are none; ``ttl``, how many seconds an answer may be kept (default 300). TXT and
    NULL answers fill ``down`` bytes, 1232 at most; the others have their natural size, and AAAA and HTTPS without data
    are NOERROR with a SOA. ``down`` = 0 to a question of its own, and any with option ``missing``: NXDOMAIN.
    ValueError: an unknown type, or a ``ttl`` that is no integer.
    """
    for time, up, down, delay in exchanges(dialogue):
        question, answer = lookup(dialogue, up, min(down, _LARGEST_ANSWER))
        yield Message(time, from_client=True, data=question)
        yield Message(time + delay, from_client=False, data=answer)


def lookup(dialogue: Dialogue, up: int, down: int, *, ident: bytes = b"") -> tuple[bytes, bytes]:
    """A question and its answer of about ``up`` and ``down`` bytes, see ``messages``; ``ident`` is drawn if empty."""
    options, rng, asked = dialogue.options, dialogue.rng, dialogue.options.get("zone") or dialogue.host
    qtype, ttl_s = options.get("qtype", "A").upper(), int(options.get("ttl", _TTL_S))
    shape, unique = (asked, 0) if not up else _placeholder(asked, up)
    missing = "missing" in options or bool(up and not down)
    question, answer = _pair(shape, qtype, told=_told(dialogue, qtype), down=down, ttl_s=ttl_s, missing=missing)
    said, heard = bytearray(question), bytearray(answer)
    said[:2] = heard[:2] = ident or filler(rng, 2)
    if unique:
        _write_labels(said, filler(rng, unique).translate(_HOST_SAFE))
        end = _HEADER + unique
        heard[_HEADER:end] = said[_HEADER:end]
    if qtype in {"TXT", "NULL"} and down:
        _write_data(dialogue, heard, len(said) - _OPT + _RECORD, text=qtype == "TXT")
    return bytes(said), bytes(heard)


def _told(dialogue: Dialogue, qtype: str) -> str:
    """What the answer says, where it is neither drawn bytes nor nothing."""
    if qtype in _ADDRESSED:
        return dialogue.options.get("answer") or _address(dialogue.rng)
    return dialogue.options.get("alpn", "") if qtype == "HTTPS" else ""


def _address(rng: np.random.Generator) -> str:
    return str(ipaddress.IPv4Address((198 << 24) + (18 << 16) + int(rng.integers(1, (1 << 17) - 1))))


def _placeholder(host: str, up: int) -> tuple[str, int]:
    """A name of the right length under the registrable name, and how many wire bytes of it shall be unique."""
    parent = ".".join(host.split(".")[-2:])
    room = _LONGEST_NAME - len(parent) - 2
    unique = min(max(up - _HEADER - _TYPE_CLASS - _OPT - len(parent) - 2, _SHORTEST_UNIQUE + 1), room)
    return ".".join(["x" * size for size in _label_sizes(unique)] + [parent]), unique


def _label_sizes(wire: int) -> list[int]:
    """The label lengths, each 1 to 63, that take ``wire`` bytes with their length bytes.

    >>> _label_sizes(9), _label_sizes(65), _label_sizes(200)
    ([8], [62, 1], [63, 63, 63, 7])
    """
    full, rest = divmod(wire, _LONGEST_LABEL + 1)
    if rest == 1:
        return [_LONGEST_LABEL] * (full - 1) + [_LONGEST_LABEL - 1, 1]
    return [_LONGEST_LABEL] * full + ([rest - 1] if rest else [])


def _write_labels(message: bytearray, letters: bytes) -> None:
    """Put the letters where the placeholder's are, keeping the length bytes."""
    place, end = _HEADER, _HEADER + len(letters)
    while place < end:
        size = message[place]
        message[place + 1 : place + 1 + size] = letters[place - _HEADER : place - _HEADER + size]
        place += 1 + size


def _write_data(dialogue: Dialogue, message: bytearray, place: int, *, text: bool) -> None:
    """Fill the data of the only answer record, which starts at ``place``; a TXT keeps its length bytes."""
    end = place + int.from_bytes(message[place - 2 : place], "big")
    if not text:
        message[place:end] = filler(dialogue.rng, end - place)
        return
    letters = filler_text(dialogue.rng, end - place)
    while place < end:
        size = message[place]
        message[place + 1 : place + 1 + size] = letters[:size]
        letters, place = letters[size:], place + 1 + size


@lru_cache(maxsize=8192)
def _pair(name: str, qtype: str, *, told: str, down: int, ttl_s: int, missing: bool) -> tuple[bytes, bytes]:
    """Question and answer with id 0 and placeholder data; packed by dnslib, hence once per kind, not per message."""
    question = dnslib.DNSRecord.question(name, qtype)
    question.header.id = 0
    question.add_ar(dnslib.EDNS0(udp_len=_LARGEST_ANSWER))
    said = bytes(question.pack())
    reply = question.reply(ra=1, aa=0)
    reply.header.id = 0
    spare = max(1, down - len(said) - _RECORD)
    data = None if missing else _data(qtype, told, spare)
    if data is None:
        reply.header.rcode = dnslib.RCODE.NXDOMAIN if missing else dnslib.RCODE.NOERROR
        reply.add_auth(_soa(name))
    else:
        reply.add_answer(dnslib.RR(name, getattr(dnslib.QTYPE, qtype), rdata=data, ttl=ttl_s))
    reply.add_ar(dnslib.EDNS0(udp_len=_LARGEST_ANSWER))
    return said, bytes(reply.pack())


def _data(qtype: str, told: str, spare: int) -> dnslib.RD | None:
    """The placeholder answer data: ``spare`` bytes for TXT and NULL; None where the name has no such record."""
    if qtype in _ADDRESSED:
        if ipaddress.ip_address(told).version != _ADDRESSED[qtype]:
            return None
        return dnslib.A(told) if qtype == "A" else dnslib.AAAA(told)
    if qtype == "TXT":
        sizes = [256] * (spare // 256) + ([spare % 256] if spare % 256 else [])
        return dnslib.TXT([b"x" * (size - 1) for size in sizes])
    if qtype == "NULL":
        return dnslib.RD(b"x" * spare)
    if qtype == "HTTPS":
        spoken = b"".join(bytes([len(name)]) + name.encode("ascii") for name in told.split(","))
        return dnslib.HTTPS(1, [], [(_ALPN, spoken)]) if told else None
    raise ValueError(f"qtype {qtype!r}: known are A, AAAA, HTTPS, NULL, TXT")


def _soa(name: str) -> dnslib.RR:
    zone = ".".join(name.split(".")[-2:])
    times = (1, 7200, 900, 1_209_600, _TTL_S)
    return dnslib.RR(zone, dnslib.QTYPE.SOA, rdata=dnslib.SOA(f"ns1.{zone}", f"hostmaster.{zone}", times), ttl=_TTL_S)
