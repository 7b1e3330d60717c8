"""The DNS authority: the script's own answers by name and type, in turn, each after its own delay."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import NamedTuple

import dnslib

from lab.stages.live.servers.image.ledger import Ledger

_ID = 2  # bytes, RFC 1035 section 4.1.1


class Answer(NamedTuple):
    """A whole DNS message and how long after the question it is sent."""

    data: bytes
    delay_us: int


class _Line(NamedTuple):
    n: int
    answer: bytes
    delay_us: int


class Authority:
    """Reads ``zone.jsonl``; the last line of a (name, type) is answered for ever."""

    def __init__(self, zone: Path, ledger: Ledger) -> None:
        self._ledger = ledger
        self._lines: dict[tuple[str, str], list[_Line]] = {}
        self._next: dict[tuple[str, str], int] = {}
        with zone.open(encoding="utf-8") as file:
            for text in file:
                line = json.loads(text)
                key = (line["qname"].rstrip(".").lower(), line["qtype"])
                row = _Line(int(line["n"]), base64.b64decode(line["answer"]), int(line["think_us"]))
                self._lines.setdefault(key, []).append(row)

    def __len__(self) -> int:
        return len(self._lines)

    def answer(self, question: bytes) -> Answer | None:
        """REFUSED at once to what the zone has not; None (silence) to what is no question."""
        try:
            asked = dnslib.DNSRecord.parse(question)
        except (dnslib.DNSError, ValueError):
            self._ledger.strays["dns: no question"] += 1
            return None
        if asked.header.qr or not asked.questions:
            self._ledger.strays["dns: no question"] += 1
            return None
        key = (str(asked.q.qname).rstrip(".").lower(), str(dnslib.QTYPE.get(asked.q.qtype)))
        lines = self._lines.get(key)
        if not lines:
            self._ledger.strays["dns: refused"] += 1
            refusal = asked.reply(ra=0, aa=0)
            refusal.header.rcode = dnslib.RCODE.REFUSED
            return Answer(bytes(refusal.pack()), 0)
        place = self._next.get(key, 0)
        self._next[key] = min(place + 1, len(lines) - 1)
        line = lines[place]
        entry = self._ledger.entry(line.n)
        entry.received += len(question)
        entry.sent += len(line.answer)
        return Answer(question[:_ID] + line.answer[_ID:], line.delay_us)
