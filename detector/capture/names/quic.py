"""QUIC long headers, and the ClientHello inside version 1 Initial packets.

Initial packets are protected with keys that anyone can derive from the packet (RFC 9001 section 5.2), so reading
them is no decryption in the sense of a view: any sensor on the path sees this name.
"""

from __future__ import annotations

from functools import lru_cache

from detector.capture.names.tls import ClientHello, parse_hello

#: RFC 9000 section 15, RFC 9369 section 3.
VERSION_1, VERSION_2 = 0x00000001, 0x6B3343CF
MAX_PACKETS = 4
MAX_FRAMES = 64
_SALT = bytes.fromhex("38762cf7f55934b34d179ae6a4c80cadccbb7f0a")  # RFC 9001 section 5.2


def is_quic(datagram: bytes) -> bool:
    """Whether a datagram starts with a long header of version 1, 2 or a draft (fixed bit set, RFC 9000 17.2)."""
    if len(datagram) < 20 or datagram[0] & 0xC0 != 0xC0:
        return False
    version = int.from_bytes(datagram[1:5], "big")
    known = version in (VERSION_1, VERSION_2) or version >> 8 == 0xFF0000
    return known and datagram[5] <= 20 and 6 + datagram[5] < len(datagram) and datagram[6 + datagram[5]] <= 20


def initial_hello(stream: bytes) -> ClientHello | None:
    """The ClientHello in the client's first Initial packets (datagrams laid end to end), or None."""
    keys: tuple[bytes, bytes, bytes] | None = None
    pieces: dict[int, bytes] = {}
    at = 0
    for _ in range(MAX_PACKETS):
        try:
            destination, number_at, end = _initial(stream, at)
            keys = keys or _client_keys(destination)
            pieces |= _crypto(_opened(stream[at:end], number_at - at, keys))
        except (IndexError, ValueError):
            break
        at = end
    return parse_hello(_joined(pieces), "q") if pieces.get(0, b"")[:1] == b"\x01" else None


def _initial(stream: bytes, at: int) -> tuple[bytes, int, int]:
    """Destination connection id, offset of the packet number, end of the packet; ValueError if it is none."""
    if stream[at] & 0xF0 != 0xC0 or int.from_bytes(stream[at + 1 : at + 5], "big") != VERSION_1:
        raise ValueError("not an Initial packet of version 1")
    size = stream[at + 5]
    destination = stream[at + 6 : at + 6 + size]
    at += 6 + size
    token, at = _integer(stream, at + 1 + stream[at])
    length, at = _integer(stream, at + token)
    if length < 20 or at + length > len(stream):
        raise ValueError("the packet is cut")
    return destination, at, at + length


def _integer(raw: bytes, at: int) -> tuple[int, int]:
    """A variable-length integer (RFC 9000 section 16) and the offset behind it."""
    size = 1 << (raw[at] >> 6)
    return int.from_bytes(raw[at : at + size], "big") & ((1 << (8 * size - 2)) - 1), at + size


@lru_cache(maxsize=64)
def _client_keys(destination: bytes) -> tuple[bytes, bytes, bytes]:
    """Key, IV and header protection key of the client's Initial packets (RFC 9001 section 5)."""
    import hmac

    initial = hmac.digest(_SALT, destination, "sha256")
    secret = _expand(initial, b"client in", 32)
    return _expand(secret, b"quic key", 16), _expand(secret, b"quic iv", 12), _expand(secret, b"quic hp", 16)


def _expand(secret: bytes, label: bytes, size: int) -> bytes:
    """HKDF-Expand-Label (RFC 8446 section 7.1) for at most one block of SHA-256."""
    import hmac

    full = b"tls13 " + label
    return hmac.digest(secret, size.to_bytes(2, "big") + bytes([len(full)]) + full + b"\0\1", "sha256")[:size]


def _opened(packet: bytes, number_at: int, keys: tuple[bytes, bytes, bytes]) -> bytes:
    """The frames of one packet; ValueError if it does not authenticate."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    key, vector, protection = keys
    sample = packet[number_at + 4 : number_at + 20]
    block = Cipher(algorithms.AES(protection), modes.ECB()).encryptor().update(sample)  # noqa: S305 -- RFC 9001 5.4.3
    first = packet[0] ^ block[0] & 0x0F
    size = (first & 3) + 1
    number = bytes(a ^ b for a, b in zip(packet[number_at : number_at + size], block[1:], strict=False))
    head = bytes([first]) + packet[1:number_at] + number
    nonce = (int.from_bytes(vector, "big") ^ int.from_bytes(number, "big")).to_bytes(12, "big")
    try:
        return AESGCM(key).decrypt(nonce, packet[number_at + size :], head)
    except InvalidTag:
        raise ValueError("the packet does not authenticate") from None


def _crypto(frames: bytes) -> dict[int, bytes]:
    """CRYPTO frames by offset; reading stops at any frame but PADDING, PING and CRYPTO (RFC 9000 section 19)."""
    pieces: dict[int, bytes] = {}
    at = 0
    for _ in range(MAX_FRAMES):
        at = len(frames) - len(frames[at:].lstrip(b"\0\1"))
        if at >= len(frames) or frames[at] != 6:
            break
        offset, at = _integer(frames, at + 1)
        size, at = _integer(frames, at)
        pieces[offset] = frames[at : at + size]
        at += size
    return pieces


def _joined(pieces: dict[int, bytes]) -> bytes:
    whole = b""
    for offset in sorted(pieces):
        if offset > len(whole):
            break
        whole += pieces[offset][len(whole) - offset :]
    return whole
