"""Where a DNS message says addresses: A and AAAA answers, and the address hints of SVCB and HTTPS records.

RFC 1035 section 4.1, RFC 3596, RFC 9460 section 7.3 (from memory). Names are not read, so that PTR
questions keep the old address in words.
A message that ends early or points nowhere has said what it said up to there; it never raises.
"""

from __future__ import annotations

from collections.abc import Iterator

A, AAAA, SVCB, HTTPS = 1, 28, 64, 65
_HINTS = {4: 4, 6: 16}  # SvcParamKey of ipv4hint and ipv6hint -> size of an address
_HEADER = 12


def addresses_in(message: bytes) -> Iterator[tuple[int, int]]:
    """(place, size) of every address in the records of a message; size is 4 or 16."""
    if len(message) < _HEADER:
        return
    counts = [int.from_bytes(message[place : place + 2], "big") for place in (4, 6, 8, 10)]
    at = _HEADER
    for _ in range(counts[0]):
        at = _behind_name(message, at) + 4
    for _ in range(sum(counts[1:])):
        at = _behind_name(message, at)
        if at + 10 > len(message):
            return
        kind, size = int.from_bytes(message[at : at + 2], "big"), int.from_bytes(message[at + 8 : at + 10], "big")
        at += 10
        if at + size <= len(message):
            yield from _in_record(message, kind, at, size)
        at += size


def _behind_name(message: bytes, at: int) -> int:
    """The place behind a name; the message's end where it does not end."""
    while at < len(message):
        length = message[at]
        if length >= 0xC0:
            return at + 2
        at += 1 + length
        if length == 0:
            return at
    return len(message)


def _in_record(message: bytes, kind: int, at: int, size: int) -> Iterator[tuple[int, int]]:
    if (kind, size) in {(A, 4), (AAAA, 16)}:
        yield at, size
    elif kind in {SVCB, HTTPS} and size > 2:
        place, end = _behind_name(message[: at + size], at + 2), at + size
        while place + 4 <= end:
            key, length = (int.from_bytes(message[place + n : place + n + 2], "big") for n in (0, 2))
            place += 4
            each = _HINTS.get(key, 0)
            if each and place + length <= end:
                yield from ((one, each) for one in range(place, place + length - each + 1, each))
            place += length
