"""What happened to each conversation: plain bytes received and sent, how far it came, the first error."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass


@dataclass
class Entry:
    """One conversation, as this side saw it."""

    received: int = 0
    sent: int = 0
    error: str | None = None
    answered: int = 0  # HTTP requests, over all connections of the conversation
    connected: bool = False

    def fault(self, error: str) -> None:
        """Noted if it is the first."""
        self.error = self.error or error


class Ledger:
    """Entries by conversation, and counts of what belongs to none ("unclaimed", "no service", "tls")."""

    def __init__(self) -> None:
        self._entries: dict[int, Entry] = {}
        self.strays: Counter[str] = Counter()
        self.nobody = Entry()  # counts what is said to those whom nobody has claimed

    def entry(self, n: int) -> Entry:
        """The entry of conversation n, made if it is new."""
        return self._entries.setdefault(n, Entry())

    def connected(self, n: int) -> bool:
        """Whether conversation n has had a connection."""
        return n in self._entries and self._entries[n].connected

    def report(self) -> dict[str, object]:
        """The answer to the verb ``report``."""
        rows = {
            str(n): {"received": entry.received, "sent": entry.sent, "error": entry.error}
            for n, entry in self._entries.items()
        }
        return {"conversations": rows, "strays": dict(self.strays)}
