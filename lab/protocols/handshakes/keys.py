"""Key shares a strict peer accepts, without a secret behind them: X25519, NIST curves, X448, X25519MLKEM768."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from lab.protocols import drawn, fresh

X25519, X448, X25519MLKEM768 = 0x001D, 0x001E, 0x11EC  # IANA TLS Supported Groups
X25519KYBER768 = 0x6399  # draft-tls-westerbaan-xyber768d00: the share of X25519 comes first
_CURVES = {0x0017: "SECP256R1", 0x0018: "SECP384R1", 0x0019: "SECP521R1"}
_POINTS = 64  # public keys per curve: a real one per conversation would cost 20 us
_MLKEM_Q, _MLKEM_PACKED, _MLKEM_SEED = 3329, 3 * 256 * 12 // 8, 32  # FIPS 203, ML-KEM-768: q, bytes of t, of rho
_MLKEM_POOL = 1 << 16  # pairs of coefficients at which a key may start
_X25519_KEY = 32  # bytes


def drawn_like_noise(group: int) -> bool:
    """Whether any bytes are a valid share: X25519 and X448 accept every string (RFC 7748 section 5)."""
    return group in {X25519, X448}


def share(group: int, rng: np.random.Generator, size: int) -> bytes:
    """A client's or server's public share of a group; a GREASE group (RFC 8701) gets a zero byte as recorded.

    Raises LookupError for a group that no recorded stack used.
    """
    if drawn_like_noise(group):
        return fresh(rng, size)
    if group in _CURVES:
        return _points(group)[drawn(rng, 0, _POINTS)]
    if group == X25519MLKEM768:
        return _encapsulation_key(rng) + fresh(rng, _MLKEM_SEED + _X25519_KEY)
    if group == X25519KYBER768:
        return fresh(rng, _X25519_KEY) + _encapsulation_key(rng) + fresh(rng, _MLKEM_SEED)
    raise LookupError(f"no key share known for TLS group {group:#06x}")


@lru_cache(maxsize=len(_CURVES))
def _points(group: int) -> tuple[bytes, ...]:
    """Uncompressed points of fixed scalars. Their secrets are public, so these keys protect nothing."""
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    curve: ec.EllipticCurve = getattr(ec, _CURVES[group])()
    scalars = np.random.default_rng(group).integers(2, 1 << 62, _POINTS).tolist()
    keys = (ec.derive_private_key(scalar, curve).public_key() for scalar in scalars)
    return tuple(key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint) for key in keys)


def _encapsulation_key(rng: np.random.Generator) -> bytes:
    """The first part of a key that FIPS 203 section 7.2 checks: a run of the pool, whose coefficients are below q."""
    place = 3 * drawn(rng, 0, _MLKEM_POOL)
    return _coefficients()[place : place + _MLKEM_PACKED]


@lru_cache(maxsize=1)
def _coefficients() -> bytes:
    """ByteEncode12 (FIPS 203 section 4.2.1) of coefficients below q: pairs of them in three bytes each."""
    count = _MLKEM_POOL + _MLKEM_PACKED // 3
    pairs = np.random.default_rng(X25519MLKEM768).integers(_MLKEM_Q, size=(count, 2), dtype=np.uint16)
    low, high = pairs[:, 0], pairs[:, 1]
    packed = np.stack([low & 0xFF, (low >> 8) | ((high & 0xF) << 4), high >> 4], axis=1)
    return packed.astype(np.uint8).tobytes()
