"""SOCKS 4, 4a and 5 requests in a flow's first bytes, whichever end of the flow is asked to relay.

In a back-connect the dialler of the TCP flow answers as the SOCKS server, often behind a short hello of its own, so
either direction may carry the request. Five bytes that look like a greeting prove nothing: a request counts only with
a matching answer from the other side, or with a structure that parses to its end.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

MAX_HELLO = 64
_NO_METHOD = 0xFF  # RFC 1928 section 3
_PASSWORD = 2  # RFC 1929
_ANSWER_4 = re.compile(rb"\x00[\x5a-\x5d]", re.DOTALL)
_REQUEST_4 = re.compile(rb"\x04[\x01\x02](..)(....)([\x20-\x7e]{0,255})\x00", re.DOTALL)
_DOMAIN_4A = re.compile(rb"([\x21-\x7e]{1,255})\x00")


@dataclass(frozen=True, slots=True)
class Relaying:
    """A relay request: version (socks4, socks4a, socks5), host:port asked for, and whether it was granted."""

    version: str
    target: str | None
    granted: bool | None


def relaying(asking: bytes, answering: bytes, hello: int = 0) -> Relaying | None:
    """The SOCKS request that starts ``asking``, answered behind at most ``hello`` bytes of ``answering``."""
    if asking[:1] == b"\x05":
        return _socks5(asking, answering, hello)
    return _socks4(asking, answering, hello) if asking[:1] == b"\x04" else None


def _socks5(asking: bytes, answering: bytes, hello: int) -> Relaying | None:
    """RFC 1928 sections 3 to 6; the request is read behind the password of RFC 1929 where that was chosen."""
    count = asking[1] if len(asking) > 1 else 0
    methods = asking[2 : 2 + count]
    if not count or len(methods) < count:
        return None
    rest = asking[2 + count :]
    open_request = None
    for at in range(min(hello, len(answering)) + 1):
        if answering[at : at + 1] != b"\x05" or len(answering) < at + 2:
            continue
        chosen = answering[at + 1]
        if chosen != _NO_METHOD and chosen not in methods:
            continue
        found = _answered(rest, answering[at + 2 :], chosen)
        if found is not None and found.granted is not None:
            return found
        open_request = open_request or (found if at == 0 else None)
    target = _target(rest)
    return open_request if target is None else Relaying("socks5", target, None)


def _answered(rest: bytes, answers: bytes, chosen: int) -> Relaying | None:
    """What follows the choice of a method; None where the bytes contradict SOCKS 5."""
    if chosen == _NO_METHOD:
        return None if rest or answers else Relaying("socks5", None, granted=False)
    if chosen == _PASSWORD and rest[:1] == b"\x01":
        name = rest[1] if len(rest) > 1 else 0
        word = rest[2 + name] if len(rest) > 2 + name else 0
        rest = rest[3 + name + word :]
        if len(answers) > 1 and answers[1] != 0:
            return Relaying("socks5", None, granted=False)
        answers = answers[2:]
    target = _target(rest)
    if target is None and rest and chosen in (0, _PASSWORD) and rest[:1] != b"\x05":
        return None
    granted = None
    if target is not None and len(answers) > 3 and answers[0] == 5 and answers[3] in (1, 3, 4):
        granted = answers[1] == 0
    return Relaying("socks5", target, granted)


def _target(rest: bytes) -> str | None:
    """Host and port of a complete SOCKS 5 request (RFC 1928 section 4), else None."""
    if len(rest) < 7 or rest[0] != 5 or rest[1] not in (1, 2, 3) or rest[2] != 0:
        return None
    size = {1: 4, 3: 1 + rest[4], 4: 16}.get(rest[3])
    if size is None or len(rest) < 6 + size:
        return None
    host = rest[4 : 4 + size]
    port = int.from_bytes(rest[4 + size : 6 + size], "big")
    if rest[3] == 1:
        return f"{IPv4Address(host)}:{port}"
    if rest[3] == 4:
        return f"[{IPv6Address(host)}]:{port}"
    return f"{host[1:].decode('ascii', 'backslashreplace')}:{port}"


def _socks4(asking: bytes, answering: bytes, hello: int) -> Relaying | None:
    """SOCKS.PROTOCOL (Lee, 1992) and 4A: address 0.0.0.x with x not 0 means that a name follows."""
    head = _REQUEST_4.match(asking)
    if head is None:
        return None
    version, host, end = "socks4", str(IPv4Address(head[2])), head.end()
    if head[2][:3] == b"\0\0\0" and head[2][3]:
        domain = _DOMAIN_4A.match(asking, end)
        if domain is None:
            return None
        version, host, end = "socks4a", domain[1].decode("ascii"), domain.end()
    answer = _ANSWER_4.match(answering) or (_ANSWER_4.search(answering, 0, hello + 2) if hello else None)
    if answer is not None and len(answering) < answer.start() + 8:
        answer = None
    alone = end == len(asking) and len(answering) <= hello
    if answer is None and not alone:
        return None
    granted = None if answer is None else answering[answer.start() + 1] == 0x5A
    return Relaying(version, f"{host}:{int.from_bytes(head[1], 'big')}", granted)
