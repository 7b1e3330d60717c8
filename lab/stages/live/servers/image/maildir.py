"""A mailbox prepared from a script: as many mails as it counts, those that are fetched with the very text it has.

Maildir (maildir(5)): a mail is one file, in new/ or cur/; mails that nobody reads are links to one file.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

_COUNT = re.compile(rb"^\* (\d+) EXISTS\r$", re.MULTILINE)
_FETCHED = re.compile(rb"FETCH \(UID (\d+) BODY\[\] \{(\d+)\}\r\n")
_OTHER = b"Subject: mail\r\n\r\n"


class Maildir:
    """Mails of one conversation; ``said`` are the server's turns of its script, the first EXISTS counts the mailbox."""

    def __init__(self, folder: Path, said: Sequence[bytes]) -> None:
        self.folder = folder
        self._texts: dict[int, bytes] = {}
        counted = [int(found[1]) for turn in said if (found := _COUNT.search(turn))]
        self.count = counted[0] if counted else 0
        for turn in said:
            if found := _FETCHED.search(turn):
                self._texts.setdefault(int(found[1]), turn[found.end() : found.end() + int(found[2])])

    def prepare(self) -> None:
        """Writes the mailbox as it is when the client comes; some ten milliseconds for a thousand mails."""
        for part in ("tmp", "new", "cur"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        (self.folder / "other").write_bytes(_OTHER)
        for uid in range(1, self.count + 1):
            self._place(uid, f"cur/{uid:08d}.lab:2,S")  # seen: nothing to move when it is opened

    def deliver(self) -> int:
        """One mail more; its UID."""
        self.count += 1
        self._place(self.count, f"new/{self.count:08d}.lab")
        return self.count

    def _place(self, uid: int, name: str) -> None:
        """Servers number mails in the order of their names."""
        if uid not in self._texts:
            os.link(self.folder / "other", self.folder / name)
            return
        beside = self.folder / f"tmp/{uid:08d}.lab"
        beside.write_bytes(self._texts[uid])
        beside.rename(self.folder / name)
