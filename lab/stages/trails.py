"""What a monitor like Zeek keeps of a conversation's packets: which kinds came, in which order, and bytes with headers.

Kinds and their letters are those of ``history`` in Zeek's conn.log (scripts/base/protocols/conn/main.zeek, from
memory): s a SYN, h a SYN-ACK, a an ACK of nothing else, d payload, f a FIN, r a reset, t payload sent again; capital
letters are those of who opened. Each is noted once; Zeek notes t again at the tenth, hundredth and so on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from lab.stages.enveloped import IPV4, IPV6, OPTIONS, TCP, UDP
from lab.stages.segments import ACK, FIN, SYN, Packets
from lab.stages.segments import OPTIONS as HAS_OPTIONS
from lab.stages.severed import RST

Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

LETTERS = "SsHhAaDdTtFfRr"  # of packets that are several kinds the first of these comes first
NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Heard:
    """Packets in columns: ``up`` by who opened, TCP's ``flags`` (0: UDP), payload, headers and payload, ``again``."""

    conversation: Int64
    time: Int64
    up: Bool
    flags: Int64
    payload: Int64
    size: Int64
    again: Bool  # TCP payload that was seen before

    @classmethod
    def of(cls, packets: Packets, counted: Packets, inbound: Bool, tcp: Bool, six: Bool) -> Heard:
        """Those of the wire stage; ``counted`` are the same with the lengths of what is new."""
        of = packets.conversation
        segment, options = tcp[of], packets.flags & HAS_OPTIONS > 0
        header = np.where(six[of], IPV6, IPV4) + np.where(segment, TCP, UDP) + OPTIONS * (packets.flags & SYN > 0)
        return cls(
            conversation=of,
            time=packets.time,
            up=packets.local != inbound[of],
            flags=np.where(segment, packets.flags & 0x3F, 0),
            payload=counted.length,
            size=packets.length + header,
            again=segment & ~options & (packets.length > 0) & (counted.length == 0),
        )


@dataclass(frozen=True)
class Trails:
    """One row per conversation: when the first packet of each of LETTERS came (NEVER), bytes of packets whole."""

    first: Int64  # (n, len(LETTERS)) microseconds
    size_up: Int64
    size_down: Int64

    @classmethod
    def of(cls, heard: Heard, count: int) -> Trails:
        """Of ``count`` conversations."""
        trails = cls(np.full((count, len(LETTERS)), NEVER), *np.zeros((2, count), dtype=np.int64))
        trails.add(heard)
        return trails

    @classmethod
    def joined(cls, parts: Sequence[Trails]) -> Trails:
        """Several, one after the other; none: of no conversation."""
        none = cls(np.zeros((0, len(LETTERS)), dtype=np.int64), *np.zeros((2, 0), dtype=np.int64))
        return cls(*(np.concatenate([getattr(part, one.name) for part in (none, *parts)]) for one in fields(cls)))

    def add(self, heard: Heard) -> None:
        """Notes more packets in place."""
        of = heard.conversation
        for sizes, mine in ((self.size_up, heard.up), (self.size_down, ~heard.up)):
            np.add.at(sizes, of[mine], heard.size[mine])
        for number, kind in enumerate(_kinds(heard)):
            for side in (0, 1):
                rows = np.flatnonzero(kind & (heard.up == (side == 0)))
                np.minimum.at(self.first[:, 2 * number + side], of[rows], heard.time[rows])

    def history(self) -> list[str]:
        """The letters of each conversation in the order in which the first of each came."""
        order = np.argsort(self.first, axis=1, kind="stable")
        known = np.isfinite(np.where(self.first == NEVER, np.inf, 0.0)).sum(axis=1).tolist()
        letters = np.array(list(LETTERS))[order].tolist()
        return ["".join(row[:count]) for row, count in zip(letters, known, strict=True)]


def _kinds(heard: Heard) -> list[Bool]:
    """(m,) which packets are of each kind, in the order of LETTERS."""
    flags = heard.flags
    opens, resets, parts = flags & SYN > 0, flags & RST > 0, flags & FIN > 0
    said = (heard.payload > 0) & ~opens
    bare = (flags & ACK > 0) & ~opens & ~resets & ~parts & ~said & ~heard.again
    return [opens & (flags & ACK == 0), opens & (flags & ACK > 0), bare, said, heard.again, parts, resets]


def state_of(history: str, *, tcp: bool) -> str:
    """Zeek's conn_state of a conversation with that history.

    >>> [state_of(history, tcp=True) for history in ("ShADadFf", "S", "Sr", "ShADadR", "ShADdar", "ShADadF", "ShAD")]
    ['SF', 'S0', 'REJ', 'RSTO', 'RSTR', 'S2', 'S1']
    >>> [state_of(history, tcp=False) for history in ("Dd", "D", "d", "")]
    ['SF', 'S0', 'SHR', 'OTH']
    """
    if not tcp:
        return {(True, True): "SF", (True, False): "S0", (False, True): "SHR"}.get(
            ("D" in history, "d" in history), "OTH"
        )
    if "S" not in history:
        return "OTH"
    ended = next((letter for letter in history if letter in "Rr"), "")
    if "h" not in history:
        return {"R": "RSTOS0", "r": "REJ"}.get(ended, "SH" if "F" in history else "S0")
    if ended:
        return "RSTO" if ended == "R" else "RSTR"
    return {(True, True): "SF", (True, False): "S2", (False, True): "S3"}.get(("F" in history, "f" in history), "S1")
