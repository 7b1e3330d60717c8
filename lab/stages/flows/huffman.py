"""Texts in HPACK's Huffman code (RFC 7541 section 5.2 and appendix B): what they look like in a header block."""

from __future__ import annotations

from functools import lru_cache

from hpack.huffman import HuffmanEncoder
from hpack.huffman_constants import REQUEST_CODES, REQUEST_CODES_LENGTH

CODED = frozenset({"http2", "doh"})  # protocols whose agents and hosts stand in header blocks of HPACK
_ENCODER = HuffmanEncoder(REQUEST_CODES, REQUEST_CODES_LENGTH)


@lru_cache(maxsize=4096)
def huffman(text: str) -> bytes:
    """The text as a string literal's bytes, padding included.

    >>> huffman("qzagent").hex()
    'edec7316a4ff'
    """
    data: bytes = _ENCODER.encode(text.encode())
    return data


def huffman_length(text: str) -> int:
    """How many bytes that is, without making them.

    >>> huffman_length("qzagent"), huffman_length("")
    (6, 0)
    """
    return -(-sum(REQUEST_CODES_LENGTH[letter] for letter in text.encode()) // 8)
