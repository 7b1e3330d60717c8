"""Addresses in four octets: IPv4 as it is, IPv6 as a place in a book, which is below 1.0.0.0.

So that links of either kind are rows of one table; nothing in the lab has an address of 0.0.0.0/8 (RFC 1122).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import ip_address

import numpy as np
import numpy.typing as npt

from lab.timeline import Timeline

Bytes = npt.NDArray[np.uint8]
Int64 = npt.NDArray[np.int64]

_PLACES = 1 << 24


def book_of(timeline: Timeline) -> dict[str, int]:
    """The IPv6 addresses of a timeline, each with its place."""
    phones = (address for phone in timeline.devices for address in phone.addresses)
    every = [*phones, *(host.address for host in timeline.hosts)]
    return {address: place for place, address in enumerate(dict.fromkeys(one for one in every if ":" in one))}


def octets(address: str, book: Mapping[str, int]) -> list[int]:
    """The four octets of an address; KeyError for IPv6 that is not in the book."""
    return list(book[address].to_bytes(4, "big")) if ":" in address else [int(part) for part in address.split(".")]


def address_codes(packed: Bytes, book: Sequence[str] = ()) -> tuple[Int64, list[str]]:
    """Of each row of a link (MAC and octets of the address) a code, and the addresses as text by code."""
    keys = packed[:, 6:].astype(np.int64) @ (1 << np.array([24, 16, 8, 0]))
    known, index = np.unique(keys, return_inverse=True)
    return index.astype(np.int64), [_text(key, book) for key in known.tolist()]


def text_of(row: Bytes, book: Sequence[str] = ()) -> str:
    """The address of one row of a link."""
    return _text(int.from_bytes(row[6:].tobytes(), "big"), book)


def sixteen(octets: Bytes, book: Sequence[str]) -> Bytes:
    """(n, 16) the IPv6 addresses whose octets, (n, 4), are given."""
    pages = np.array([list(ip_address(address).packed) for address in book], dtype=np.uint8).reshape(-1, 16)
    return pages[octets.astype(np.int64) @ (1 << np.array([24, 16, 8, 0]))]


def _text(key: int, book: Sequence[str]) -> str:
    if book and key < _PLACES:
        return book[key]
    return f"{key >> 24}.{key >> 16 & 255}.{key >> 8 & 255}.{key & 255}"
