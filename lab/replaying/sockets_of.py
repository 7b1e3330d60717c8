"""Between which sockets a frame travels, read from its bytes alone: Ethernet, VLAN tags, IPv4 or IPv6, TCP or UDP."""

from __future__ import annotations

from typing import NamedTuple

_VLAN = (b"\x81\x00", b"\x88\xa8")
_TCP, _UDP = 6, 17
_STAMP = b"\x08\x0a"  # kind and length of the time stamp option (RFC 7323)


class Talk(NamedTuple):
    """Who speaks to whom, as packed addresses and ports, and where the transport header begins."""

    source: bytes
    target: bytes
    protocol: int
    at: int

    @property
    def sockets(self) -> tuple[bytes, bytes, int]:
        """What tells one direction of a conversation from all others."""
        return self.source, self.target, self.protocol


def talk_of(frame: bytes) -> Talk | None:
    """The sockets of a frame; None if it is no whole TCP or UDP, or a fragment, or has IPv6 extension headers."""
    at = 12
    while frame[at : at + 2] in _VLAN:
        at += 4
    kind, at = frame[at : at + 2], at + 2
    if kind == b"\x08\x00" and len(frame) >= at + 20:
        if int.from_bytes(frame[at + 6 : at + 8], "big") & 0x3FFF:
            return None
        protocol, ends, behind = frame[at + 9], frame[at + 12 : at + 20], at + (frame[at] & 15) * 4
    elif kind == b"\x86\xdd" and len(frame) >= at + 40:
        protocol, ends, behind = frame[at + 6], frame[at + 8 : at + 40], at + 40
    else:
        return None
    if protocol not in {_TCP, _UDP} or len(frame) < behind + 8:
        return None
    half = len(ends) // 2
    return Talk(
        ends[:half] + frame[behind : behind + 2], ends[half:] + frame[behind + 2 : behind + 4], protocol, behind
    )


def stamped(frame: bytes, talk: Talk) -> bool:
    """Whether a TCP segment may have time stamps; False is certain."""
    if talk.protocol != _TCP or len(frame) < talk.at + 20:
        return False
    return _STAMP in frame[talk.at + 20 : talk.at + (frame[talk.at + 12] >> 4) * 4]
