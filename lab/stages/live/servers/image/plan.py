"""A run's plan folder as the servers read it: scripts by number, payload mapped, services, never all in memory."""

from __future__ import annotations

import json
import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

Endpoint = tuple[str, int]


class Turn(NamedTuple):
    """What one side says at a time; see docs/live.md for the file's columns."""

    from_client: bool
    size: int
    offset: int
    real_us: int
    think_us: int
    pushed: bool


class Head(NamedTuple):
    """Where a script stands in its file, and the little that is asked of it before it is played."""

    place: int
    size: int
    protocol: str
    transport: str
    server: Endpoint
    real_us: int
    close_us: int
    inbound: bool
    via: int | None


@dataclass(frozen=True)
class Script:
    """One conversation: who with whom, and the turns of both sides."""

    n: int
    protocol: str
    transport: str
    tls: bool
    stack: int  # TLS client shape
    name: str
    server: Endpoint
    client: str
    inbound: bool
    via: int | None
    rtt_us: int
    real_us: int
    close_us: int
    turns: tuple[Turn, ...]


class Service(NamedTuple):
    """What listens at one (address, port, transport)."""

    protocol: str
    tls: bool
    alpn: tuple[str, ...]


class Plan:
    """The folder of one run. ``scripts.jsonl`` and ``payload.bin`` are mapped; a script is parsed when it is played.

    Raises OSError if a file is missing and ValueError (KeyError) if a line is not as docs/live.md says.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lines = _mapped(folder / "scripts.jsonl")
        self._payload = _mapped(folder / "payload.bin")
        self.heads = dict(self._read_heads())
        self.services = _services(folder / "services.json")
        self.zone = folder / "zone.jsonl"
        self.pki = folder / "pki"

    def script(self, n: int) -> Script:
        """Conversation n; KeyError if there is none."""
        head = self.heads[n]
        return _script(json.loads(self._lines[head.place : head.place + head.size]))

    def bytes_of(self, turn: Turn) -> memoryview:
        """What is said in the turn; ValueError if the payload ends before it does."""
        data = memoryview(self._payload)[turn.offset : turn.offset + turn.size]
        if len(data) != turn.size:
            raise ValueError(f"payload.bin: found {len(data)} bytes at {turn.offset}, expected {turn.size}")
        return data

    def _read_heads(self) -> Iterator[tuple[int, Head]]:
        place, lines = 0, self._lines
        while place < len(lines):
            end = lines.find(b"\n", place)
            end = len(lines) if end < 0 else end
            if end > place:
                yield _head(json.loads(lines[place:end]), place, end - place)
            place = end + 1


def _mapped(path: Path) -> mmap.mmap | bytes:
    with path.open("rb") as file:
        file.seek(0, 2)
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if file.tell() else b""


def _head(line: dict[str, Any], place: int, size: int) -> tuple[int, Head]:
    server = (str(line["server"][0]), int(line["server"][1]))
    return int(line["n"]), Head(
        place=place,
        size=size,
        protocol=line["protocol"],
        transport=line["transport"],
        server=server,
        real_us=int(line["real_us"]),
        close_us=int(line["close_us"]),
        inbound=bool(line["inbound"]),
        via=line.get("via"),
    )


def _script(line: dict[str, Any]) -> Script:
    return Script(
        n=int(line["n"]),
        protocol=line["protocol"],
        transport=line["transport"],
        stack=int(line["stack"]),
        tls=bool(line["tls"]),
        name=line["name"],
        server=(str(line["server"][0]), int(line["server"][1])),
        client=line["client"],
        inbound=bool(line["inbound"]),
        via=line.get("via"),
        rtt_us=int(line["rtt_us"]),
        real_us=int(line["real_us"]),
        close_us=int(line["close_us"]),
        turns=tuple(_turn(row) for row in line["turns"]),
    )


def _turn(row: list[int]) -> Turn:
    who, size, offset, real_us, think_us, pushed = row
    return Turn(bool(who), size, offset, real_us, think_us, bool(pushed))


def _services(path: Path) -> dict[tuple[str, int, str], Service]:
    """By (address, port, transport); of several lines of one place the first counts, all their ALPN names do."""
    found: dict[tuple[str, int, str], Service] = {}
    for line in json.loads(path.read_text()):
        key = (str(line["address"]), int(line["port"]), str(line["transport"]))
        before = found.get(key, Service(line["protocol"], bool(line["tls"]), ()))
        names = tuple(dict.fromkeys((*before.alpn, *(line.get("alpn") or ()))))
        found[key] = before._replace(alpn=names)
    return found
