"""What became of a replay, in numbers. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from lab.replaying.lateness import Lateness


@dataclass
class Report:
    """What became of a replay. ``counted`` is what each interface itself counted as sent meanwhile."""

    planned: int
    sent: int = 0
    failed: dict[str, int] = field(default_factory=dict)
    rounds: int = 0
    lateness: Lateness | None = None
    counted: dict[str, int] = field(default_factory=dict)
    priority: str = "normal"
    arrived: int | None = None  # at the other end, where a replay listens there
    withheld: int = 0  # frames that never left because what they answer never arrived

    @property
    def dropped(self) -> int:
        """Frames that the sockets took and the interfaces did not count: the kernel threw them away."""
        return max(0, self.sent - sum(self.counted.values())) if self.counted else 0

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        told = self.lateness.to_json() if self.lateness else None
        return {
            **vars(self),
            "failed": sum(self.failed.values()),
            "dropped": self.dropped,
            "faults": self.failed,
            "lateness": told,
        }
