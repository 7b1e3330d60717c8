"""What Chrome's TLS draws anew for each connection: GREASE values, the order of extensions, the size of ECH's decoy.

RFC 8701 (GREASE); BoringSSL's ssl/extensions.cc and encrypted_client_hello.cc (permutation, decoy sizes), from memory.
"""

from __future__ import annotations

import numpy as np

#: Extensions as (type, body) in the order sent.
Extensions = list[tuple[int, bytes]]

ECH = 0xFE0D  # RFC 9849 section 11.1
VARIANTS = 16  # hellos drawn per shape, server and manner: enough that orders repeat no more than phones do
_GROUPS, _KEY_SHARE, _VERSIONS = 10, 51, 43
_GREASE = [0x0A0A + 0x1010 * step for step in range(16)]
_ENCAPSULATED = 32  # bytes of an X25519 share, RFC 9180 section 7.1
_SUITE = bytes.fromhex("00010001")  # HKDF-SHA256 and AES-128-GCM, RFC 9180 section 7
_TAG = 16
_INNER = (128, 160, 192, 224)  # bytes of an encoded inner hello, padded to 32 as section 6.1.3 of RFC 9849 wants


def is_grease(value: int) -> bool:
    """Whether a suite, group, version or extension type is one of RFC 8701's sixteen."""
    return value & 0x0F0F == 0x0A0A and value >> 8 == value & 0xFF


def regreased(middle: bytes, extensions: Extensions, rng: np.random.Generator) -> tuple[bytes, Extensions]:
    """Suites (behind their length) and extensions with GREASE values of this connection; the two types differ."""
    suite, group, version, first, second = (_GREASE[k] for k in rng.permutation(16)[:5].tolist())
    kinds = iter((first, second))
    changed = [
        (next(kinds) if is_grease(kind) else kind, _regreased_body(kind, body, group, version))
        for kind, body in extensions
    ]
    return _replaced(middle, 2, suite), changed


def permuted(extensions: Extensions, rng: np.random.Generator) -> Extensions:
    """Another order of what stands between the two GREASE extensions; those, padding and a PSK keep their places."""
    marks = [at for at, (kind, _) in enumerate(extensions) if is_grease(kind)]
    if len(marks) != 2:
        return extensions
    between = extensions[marks[0] + 1 : marks[1]]
    order = rng.permutation(len(between)).tolist()
    return [*extensions[: marks[0] + 1], *(between[k] for k in order), *extensions[marks[1] :]]


def with_ech(extensions: Extensions, rng: np.random.Generator) -> Extensions:
    """An outer ECH extension (RFC 9849 section 5) of a size drawn as GREASE ECH's: in place of one, or as the last.

    Config id, share and payload are zeros: they are drawn per conversation.
    """
    sealed = _INNER[int(rng.integers(len(_INNER)))] + _TAG
    body = b"\0" + _SUITE + b"\0" + _sized(bytes(_ENCAPSULATED)) + _sized(bytes(sealed))
    if any(kind == ECH for kind, _ in extensions):
        return [(kind, body if kind == ECH else data) for kind, data in extensions]
    at = len(extensions) - (is_grease(extensions[-1][0]) if extensions else 0)
    return [*extensions[:at], (ECH, body), *extensions[at:]]


def _regreased_body(kind: int, body: bytes, group: int, version: int) -> bytes:
    """The list in an extension's body with another first value, if that was GREASE."""
    if kind in {_GROUPS, _KEY_SHARE}:
        return _replaced(body, 2, group)
    return _replaced(body, 1, version) if kind == _VERSIONS else body


def _replaced(data: bytes, at: int, value: int) -> bytes:
    if not is_grease(int.from_bytes(data[at : at + 2], "big")):
        return data
    return data[:at] + value.to_bytes(2, "big") + data[at + 2 :]


def _sized(data: bytes) -> bytes:
    return len(data).to_bytes(2, "big") + data
