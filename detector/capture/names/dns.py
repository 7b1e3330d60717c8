"""DNS messages (RFC 1035): one question, the answers as text, over UDP or behind a length prefix.

Rule: bytes in, values out; hostile or cut bytes give less, never an exception. Work per message is bounded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv6Address
from struct import unpack_from

MAX_ANSWERS = 64
MAX_JUMPS = 16
MAX_NAME = 255  # RFC 1035 section 3.1
MAX_TEXT = 512  # characters kept of a TXT or NULL answer

#: IANA, Domain Name System Parameters, resource record types.
TYPES = {
    1: "A",
    2: "NS",
    5: "CNAME",
    6: "SOA",
    10: "NULL",
    12: "PTR",
    13: "HINFO",
    15: "MX",
    16: "TXT",
    25: "KEY",
    28: "AAAA",
    33: "SRV",
    35: "NAPTR",
    41: "OPT",
    43: "DS",
    46: "RRSIG",
    47: "NSEC",
    48: "DNSKEY",
    50: "NSEC3",
    52: "TLSA",
    64: "SVCB",
    65: "HTTPS",
    99: "SPF",
    251: "IXFR",
    252: "AXFR",
    255: "ANY",
    257: "CAA",
    65399: "PRIVATE",
}
#: Bytes of the answer's data that stand before a name: priority of MX, SVCB and HTTPS, three numbers of SRV.
_NAME_AT = {"NS": 0, "CNAME": 0, "PTR": 0, "MX": 2, "SRV": 6, "SVCB": 2, "HTTPS": 2}
_ODD = re.compile(r"[^!-~]|[.\\]")


@dataclass(frozen=True, slots=True)
class DnsMessage:
    """One message: ``rcode`` and ``answers`` mean nothing in a query. ``qname`` is lower case, without last dot."""

    ident: int
    response: bool
    opcode: int
    rcode: int
    qname: str | None  # None: no question in the message
    qtype: str | None
    answers: tuple[str, ...]


def parse_dns(payload: bytes) -> DnsMessage | None:
    r"""The DNS message in a UDP payload; None where header or question cannot be read.

    Labels are written as in RFC 4343 section 2.1: bytes that do not print, dots and backslashes as ``\ddd``.
    A cut or damaged answer section gives the answers before the damage.
    """
    if len(payload) < 12:
        return None
    ident, flags, questions, answers = unpack_from(">HHHH", payload)
    if questions > 1:
        return None
    at = 12
    qname = qtype = None
    if questions:
        found = _name(payload, 12)
        if found is None or found[1] + 4 > len(payload):
            return None
        qname, at = found
        kind = unpack_from(">H", payload, at)[0]
        qtype = TYPES.get(kind) or f"TYPE{kind}"
        at += 4
    texts = _answers(payload, at, answers) if flags & 0x8000 and answers else ()
    return DnsMessage(ident, flags & 0x8000 != 0, flags >> 11 & 15, flags & 15, qname, qtype, texts)


def dns_kind(payload: bytes) -> tuple[int, bytes]:
    """What the answers to names of one length share: their own length, flags and counts."""
    return len(payload), payload[2:12]


def dns_layout(payload: bytes) -> list[slice] | None:
    """The bytes that parse_dns looks at, here, but the identifier: not times to live. None without a whole header."""
    if len(payload) < 12:
        return None
    kept, begin, at = [slice(2, 12)], 12, 12
    questions, answers = unpack_from(">HH", payload, 4)
    if questions == 1:
        end = _skip(payload, at)
        at = len(payload) if end is None else end + 4
    for _ in range(min(answers, MAX_ANSWERS)):
        end = _skip(payload, at)
        if end is None or end + 10 > len(payload):
            break
        kept.append(slice(begin, end + 4))
        begin, at = end + 8, end + 10 + int.from_bytes(payload[end + 8 : end + 10], "big")
    return [*kept, slice(begin, None)]


def split_tcp(stream: bytes) -> list[bytes]:
    """The whole messages in a DNS stream over TCP (RFC 1035 section 4.2.2: each behind its length)."""
    messages = []
    at = 0
    while at + 14 <= len(stream):
        size = stream[at] << 8 | stream[at + 1]
        if size < 12 or at + 2 + size > len(stream):
            break
        messages.append(stream[at + 2 : at + 2 + size])
        at += 2 + size
    return messages


def looks_like_dns(payload: bytes) -> bool:
    """Whether the header is one of a query or answer with one question: cheap, for ports where DNS is expected.

    Raised wrongly by one in some thousand random payloads; on other ports compare both directions instead.
    """
    if len(payload) < 17 or payload[4] or payload[5] != 1 or payload[2] >> 3 & 15 > 5:
        return False
    return payload[6] == 0 and payload[12] < 64


def _answers(payload: bytes, at: int, count: int) -> tuple[str, ...]:
    texts: list[str] = []
    for _ in range(min(count, MAX_ANSWERS)):
        end = _skip(payload, at)
        if end is None or end + 10 > len(payload):
            break
        kind, _, _, size = unpack_from(">HHIH", payload, end)
        at = end + 10 + size
        if at > len(payload):
            break
        text = _answer(payload, TYPES.get(kind, ""), end + 10, size)
        if text:
            texts.append(text)
    return tuple(texts)


def _answer(payload: bytes, kind: str, at: int, size: int) -> str:
    """An address, a name, or the text of TXT and NULL; empty for what is none of them."""
    if kind == "A" and size == 4:
        return ".".join(map(str, payload[at : at + 4]))
    if kind == "AAAA" and size == 16:
        return str(IPv6Address(payload[at : at + 16]))
    if kind in _NAME_AT and size > _NAME_AT[kind]:
        found = _name(payload, at + _NAME_AT[kind])
        return found[0] if found else ""
    if kind == "TXT":
        return _strings(payload[at : at + size])
    return _escaped(payload[at : at + size])[:MAX_TEXT] if kind == "NULL" else ""


def _strings(data: bytes) -> str:
    """Character strings of a TXT answer, joined (RFC 1035 section 3.3.14)."""
    parts, at = [], 0
    while at < len(data):
        parts.append(data[at + 1 : at + 1 + data[at]])
        at += 1 + data[at]
    return b"".join(parts).decode("ascii", "backslashreplace")[:MAX_TEXT]


def _name(payload: bytes, at: int) -> tuple[str, int] | None:
    """The name at an offset, lower case, and the offset behind it; None if damaged, cut or longer than allowed."""
    labels: list[str] = []
    after = total = jumps = 0
    limit = len(payload)
    while at < limit:
        size = payload[at]
        if size == 0:
            return ".".join(labels), after or at + 1
        if size < 64:
            total += size + 1
            at += 1 + size
            if total > MAX_NAME or at > limit:
                return None
            labels.append(_label(payload[at - size : at]))
        elif size < 192 or at + 1 >= limit or jumps >= MAX_JUMPS:
            return None
        else:
            after = after or at + 2
            at = (size & 63) << 8 | payload[at + 1]
            jumps += 1
    return None


def _skip(payload: bytes, at: int) -> int | None:
    """The offset behind a name that is not wanted."""
    while at < len(payload):
        size = payload[at]
        if size == 0:
            return at + 1
        if size >= 192:
            return at + 2
        if size >= 64:
            return None
        at += 1 + size
    return None


def _label(raw: bytes) -> str:
    text = raw.decode("latin-1")
    if raw.isalnum():
        return text.lower()
    return _escaped(raw).lower() if _ODD.search(text) else text.lower()


def _escaped(raw: bytes) -> str:
    return _ODD.sub(lambda odd: f"\\{ord(odd[0]):03d}", raw.decode("latin-1"))
