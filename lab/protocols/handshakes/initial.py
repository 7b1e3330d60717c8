"""Protection of QUIC version 1 Initial packets (RFC 9001 section 5): keys that follow from a connection id, sealing.

Anyone on the path derives the same keys; nothing here hides anything.
"""

from __future__ import annotations

import hmac
from typing import NamedTuple

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

VERSION = bytes([0, 0, 0, 1])
TAG = 16  # bytes that AES-128-GCM adds
NUMBER = 2  # bytes of a packet number here, RFC 9000 section 17.1 allows 1 to 4
_SALT = bytes.fromhex("38762cf7f55934b34d179ae6a4c80cadccbb7f0a")  # RFC 9001 section 5.2
_INITIAL = 0xC0 | NUMBER - 1  # long header, fixed bit, type 0, RFC 9000 section 17.2.2
_SAMPLE = 16


class Keys(NamedTuple):
    """Packet key, IV and header protection key of one direction."""

    key: bytes
    vector: bytes
    header: bytes


def initial_keys(destination: bytes) -> tuple[Keys, Keys]:
    """The client's and the server's keys after the client's first destination connection id."""
    secret = hmac.digest(_SALT, destination, "sha256")
    return _keys(_expand(secret, b"client in", 32)), _keys(_expand(secret, b"server in", 32))


def sealed(keys: Keys, number: int, ends: tuple[bytes, bytes], frames: bytes) -> bytes:
    """An Initial packet with these frames; ``ends`` are destination and source connection id, the token is empty."""
    destination, source = ends
    ids = bytes([len(destination)]) + destination + bytes([len(source)]) + source
    head = bytes([_INITIAL]) + VERSION + ids + b"\0" + integer(NUMBER + len(frames) + TAG, wide=True)
    counted = number.to_bytes(NUMBER, "big")
    nonce = (int.from_bytes(keys.vector, "big") ^ number).to_bytes(12, "big")
    body = AESGCM(keys.key).encrypt(nonce, frames, head + counted)
    sample = body[4 - NUMBER : 4 - NUMBER + _SAMPLE]
    cipher = Cipher(algorithms.AES(keys.header), modes.ECB())  # noqa: S305 - RFC 9001 section 5.4.3
    mask = cipher.encryptor().update(sample)
    hidden = bytes(a ^ b for a, b in zip(counted, mask[1:], strict=False))
    return bytes([head[0] ^ mask[0] & 0x0F]) + head[1:] + hidden + body


def room(size: int, ends: tuple[bytes, bytes]) -> int:
    """How many bytes of frames make an Initial packet ``size`` bytes long."""
    return size - (1 + len(VERSION) + 2 + len(ends[0]) + len(ends[1]) + 1 + 2 + NUMBER + TAG)


def integer(value: int, *, wide: bool = False) -> bytes:
    """A variable-length integer of up to 30 bits, RFC 9000 section 16; ``wide``: two bytes even where one would do.

    >>> integer(37).hex(), integer(15_293).hex()
    ('25', '7bbd')
    """
    if value < 1 << 6 and not wide:
        return bytes([value])
    if value < 1 << 14:
        return (value | 1 << 14).to_bytes(2, "big")
    return (value | 1 << 31).to_bytes(4, "big")


def _keys(secret: bytes) -> Keys:
    return Keys(
        *(_expand(secret, label, size) for label, size in ((b"quic key", 16), (b"quic iv", 12), (b"quic hp", 16)))
    )


def _expand(secret: bytes, label: bytes, size: int) -> bytes:
    """HKDF-Expand-Label (RFC 8446 section 7.1) for at most one block of SHA-256."""
    full = b"tls13 " + label
    return hmac.digest(secret, size.to_bytes(2, "big") + bytes([len(full)]) + full + b"\0\1", "sha256")[:size]
