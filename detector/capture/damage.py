"""The first damage of a capture file: which packet, which byte, what stood there, what should have."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from detector.contract import EvidenceError


@dataclass(frozen=True)
class Damage:
    """A place where a capture stops making sense. ``packet`` counts from 1; ``offset`` is a byte of the file."""

    packet: int
    offset: int
    found: str
    expected: str

    def __str__(self) -> str:
        return f"packet {self.packet}, byte {self.offset}: found {self.found}, expected {self.expected}"


class CaptureError(EvidenceError):
    """A capture that cannot be read whole; everything before ``packet`` is intact.

    ``packet`` is the 1-based number of the packet that could not be read and ``offset`` the byte of the file
    at which it became clear.
    """

    def __init__(self, path: Path, damage: Damage, advice: str = "") -> None:
        advice = advice or "what stands before it can be read with --allow-partial"
        super().__init__(f"{path}: {damage}; {advice}")
        self.path = path
        self.packet = damage.packet
        self.offset = damage.offset
        self.found = damage.found
        self.expected = damage.expected
