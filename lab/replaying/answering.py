"""Frames that answer what was really received: recorded ones, acknowledgement and time stamps made live by scapy.

TCP alone has something live to say. What the recording's other side acknowledges is what has arrived of this side now,
and a time stamp option (RFC 7323) tells this machine's clock and echoes the last one that was heard.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scapy.packet import Packet

_SYN, _FIN = 2, 1
_WRAP = 1 << 32


@dataclass
class Heard:
    """What one end of a conversation has heard of the other: up to which byte, and its last time stamp."""

    next: int | None = None  # the sequence number that is expected next
    stamp: int = 0
    clock_began: int | None = field(default=None, repr=False)  # of the recorded stamps

    def hear(self, frame: bytes) -> None:
        """Takes note of a frame that has arrived; a hole or something old changes nothing."""
        tcp = tcp_of(frame)
        if tcp is None:
            return
        flags = int(tcp.flags)
        spoken = (int(tcp.seq) + len(tcp.payload) + bool(flags & _SYN) + bool(flags & _FIN)) % _WRAP
        fits = self.next is None or int(tcp.seq) == self.next or flags & _SYN
        self.next = spoken if fits else self.next
        for name, value in tcp.options:
            if name == "Timestamp":
                self.stamp = value[0]

    def answer(self, recorded: bytes, clock_ms: int) -> bytes:
        """The recorded frame, saying what was heard; frames without TCP as they are."""
        whole = parsed(recorded)
        tcp = _layer(whole)
        if tcp is None:
            return recorded
        if "A" in tcp.flags and self.next is not None:
            tcp.ack = self.next
        tcp.options = [
            (name, self._stamps(value, clock_ms, acks="A" in tcp.flags) if name == "Timestamp" else value)
            for name, value in tcp.options
        ]
        del tcp.chksum
        return bytes(whole)

    def _stamps(self, recorded: tuple[int, int], clock_ms: int, *, acks: bool) -> tuple[int, int]:
        """(TSval, TSecr): the recorded clock's start plus this machine's time since."""
        if self.clock_began is None:
            self.clock_began = recorded[0] - clock_ms
        return (self.clock_began + clock_ms) % _WRAP, self.stamp if acks else 0


def parsed(frame: bytes) -> Packet:
    """The frame with as many layers as TCP needs."""
    import scapy.layers.inet
    import scapy.layers.inet6  # noqa: F401 - importing a layer is what teaches scapy to find it in a frame
    from scapy.layers.l2 import Ether

    return Ether(frame)


def tcp_of(frame: bytes) -> Packet | None:
    """The TCP segment in a frame; None if there is none."""
    return _layer(parsed(frame))


def _layer(whole: Packet) -> Packet | None:
    from scapy.layers.inet import TCP

    return whole.getlayer(TCP)
