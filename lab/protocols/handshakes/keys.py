"""Key shares a strict peer accepts, without a secret behind them: X25519, NIST curves, X448, X25519MLKEM768."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

X25519, X448, X25519MLKEM768 = 0x001D, 0x001E, 0x11EC  # IANA TLS Supported Groups
_CURVES = {0x0017: "SECP256R1", 0x0018: "SECP384R1", 0x0019: "SECP521R1"}
_POINTS = 64  # public keys per curve: a real one per conversation would cost 20 us
_MLKEM_Q, _MLKEM_COEFFICIENTS, _MLKEM_SEED = 3329, 3 * 256, 32  # FIPS 203, ML-KEM-768


def drawn_like_noise(group: int) -> bool:
    """Whether any bytes are a valid share: X25519 and X448 accept every string (RFC 7748 section 5)."""
    return group in {X25519, X448}


def share(group: int, rng: np.random.Generator, size: int) -> bytes:
    """A client's or server's public share of a group; a GREASE group (RFC 8701) gets a zero byte as recorded.

    Raises LookupError for a group that no recorded stack used.
    """
    if drawn_like_noise(group):
        return rng.bytes(size)
    if group in _CURVES:
        return _points(group)[int(rng.integers(_POINTS))]
    if group == X25519MLKEM768:
        return _encapsulation_key(rng) + rng.bytes(32)
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
    """ByteEncode12 of coefficients below q, then a seed: what FIPS 203 section 7.2 checks of a key."""
    pairs = rng.integers(_MLKEM_Q, size=(_MLKEM_COEFFICIENTS // 2, 2), dtype=np.uint16)
    low, high = pairs[:, 0], pairs[:, 1]
    packed = np.stack([low & 0xFF, (low >> 8) | ((high & 0xF) << 4), high >> 4], axis=1)
    return packed.astype(np.uint8).tobytes() + rng.bytes(_MLKEM_SEED)
