"""NTP version 4 (RFC 5905): a client's request and a server's answer, 48 bytes each, with times of the scenario."""

from __future__ import annotations

from collections.abc import Iterator

from lab.protocols import Dialogue, Message, drawn, exchanges, fresh

TRANSPORT = "udp"

_CLIENT, _SERVER = 0x23, 0x24  # leap 0, version 4, modes 3 and 4, section 7.3
_SINCE_1900_S = 2_208_988_800  # of the epoch, section 6
_SECOND_US = 1_000_000
_POLL, _PRECISION = 6, 0xE8  # 64 s; 2^-24 s
_ROOT = 1 << 16  # units of a second in root delay and dispersion
_REFRESHED_US = (5 * _SECOND_US, 1_024 * _SECOND_US)  # since a server last heard its own source
_SERVER_US = (10, 200)  # between the arrival of a request and the answer, as its clock says


def messages(dialogue: Dialogue) -> Iterator[Message]:
    """One request and one answer per exchange, whatever sizes were asked; ``down`` = 0: it is never answered.

    The client tells nothing but when it sends, as Android's SntpClient does. Servers are of stratum 1 to 3.
    """
    rng, source = dialogue.rng, b""
    for time, _up, down, delay in exchanges(dialogue):
        source = source or fresh(rng, 4)
        sent = _stamp(time, fresh(rng, 2))
        yield Message(time, True, bytes([_CLIENT]) + bytes(39) + sent)
        if down:
            yield Message(time + delay, False, _answer(dialogue, time + delay // 2, sent, source))


def _answer(dialogue: Dialogue, arrived: int, asked: bytes, source: bytes) -> bytes:
    rng = dialogue.rng
    stratum = 1 + source[0] % 3
    reference = b"GPS\0" if stratum == 1 else source
    root = b"".join(drawn(rng, 0, _ROOT // 16).to_bytes(4, "big") for _ in range(2))  # delay and dispersion below 62 ms
    refreshed = _stamp(arrived - drawn(rng, *_REFRESHED_US), fresh(rng, 2))
    stamps = (_stamp(arrived, fresh(rng, 2)), _stamp(arrived + drawn(rng, *_SERVER_US), fresh(rng, 2)))
    return bytes([_SERVER, stratum, _POLL, _PRECISION]) + root + reference + refreshed + asked + b"".join(stamps)


def _stamp(time_us: int, below: bytes) -> bytes:
    """A time in NTP's format of 64 bits; ``below`` are two bytes finer than a microsecond."""
    whole, rest = divmod(time_us, _SECOND_US)
    fraction = (rest << 32) // _SECOND_US & ~0xFFF | int.from_bytes(below, "big") & 0xFFF
    return ((whole + _SINCE_1900_S) % (1 << 32)).to_bytes(4, "big") + fraction.to_bytes(4, "big")
