"""Whether every conversation of a timeline was really there: in the capture, among the sockets, among the requests.

By (protocol, address, port) and time alone; nothing here trusts the player's word.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lab.behaviours import Bool
from lab.stages.link import Int64
from lab.stages.live.script import Played, Script

NAMED = 5  # conversations a sentence names; the run's file lists them all
OPENING, CLOSING = ("connect", "accept"), ("close",)


@dataclass(frozen=True)
class Joined:
    """How many conversations were looked for and found where; ``missing`` lists those that were not."""

    conversations: int
    capture: int
    sockets: int
    requests: int  # of ``expected`` ones
    expected: int
    missing: tuple[dict[str, Any], ...]
    failed: tuple[dict[str, Any], ...]  # what the player says went wrong
    closes: int  # TCP sockets seen to open and to close; ``unclosed`` are the conversations of the others
    unclosed: tuple[int, ...]

    def to_json(self) -> dict[str, Any]:
        """As an object of lab/run.json."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in vars(self).items()}

    def faults(self) -> list[str]:
        """Why a run cannot be called complete, in words; empty if it can."""
        found = []
        for place in ("capture", "sockets", "http"):
            lost = [row["n"] for row in self.missing if place in row["not_in"]]
            if lost:
                found.append(f"{len(lost)} conversations not found in {place}: {_named(lost)}")
        if self.failed:
            first = self.failed[0]
            found.append(f"{len(self.failed)} conversations failed, first {first['n']}: {first['error']}")
        return found

    def left_open(self) -> list[str]:
        """Which TCP conversations were not seen to close, in words: a fault of a run that was not cut short."""
        lost = list(self.unclosed)
        return [f"{len(lost)} conversations not seen to close in sockets: {_named(lost)}"] if lost else []


def join(
    scripts: Sequence[Script],
    played: Sequence[Played],
    opened: Bool,
    sockets: tuple[Sequence[Mapping[str, Any]], Int64],
    requests: tuple[Int64, Collection[int]],
) -> Joined:
    """Looks for each script: ``opened`` says per conversation whether the capture has its first packet.

    ``sockets`` are socket events and the conversation of each, ``requests`` the conversation of each request and the
    conversations that must have one. A socket counts if its opening was seen under the uid of the script.
    """
    owners, closed = _owners(*sockets, OPENING), _owners(*sockets, CLOSING)
    asked, expected = set(requests[0].tolist()), set(requests[1])
    seen = opened.tolist()
    tcp = [(one.n, one.uid) for one in scripts if one.transport == "tcp" and (one.n, one.uid) in owners]
    outcome = {one.n: one for one in played}
    missing, failed = [], []
    for script in scripts:
        looked = {"capture": seen[script.n], "sockets": (script.n, script.uid) in owners}
        looked |= {"http": script.n in asked} if script.n in expected else {}
        lost = [place for place, there in looked.items() if not there]
        one = outcome.get(script.n)
        if lost:
            missing.append({**_who(script, one), "not_in": lost})
        error = "never played" if one is None else one.error
        if error:
            failed.append({**_who(script, one), "error": error})
    return Joined(
        conversations=len(scripts),
        capture=_without(missing, "capture", len(scripts)),
        sockets=_without(missing, "sockets", len(scripts)),
        requests=_without(missing, "http", len(expected)),
        expected=len(expected),
        missing=tuple(missing),
        failed=tuple(failed),
        closes=sum(one in closed for one in tcp),
        unclosed=tuple(one[0] for one in tcp if one not in closed),
    )


def _owners(rows: Sequence[Mapping[str, Any]], of: Int64, events: Collection[str]) -> set[tuple[int, int | None]]:
    """(conversation, uid) of the socket events of these kinds."""
    pairs = zip(rows, of.tolist(), strict=True)
    return {(n, row["uid"]) for row, n in pairs if row["event"] in events and n >= 0}


def _without(missing: Sequence[Mapping[str, Any]], place: str, total: int) -> int:
    return total - sum(place in row["not_in"] for row in missing)


def _who(script: Script, one: Played | None) -> dict[str, Any]:
    client = one.client if one else None
    ends = {"client": ":".join(map(str, client)) if client else None, "server": ":".join(map(str, script.server))}
    return {"n": script.n, "protocol": script.protocol, **ends}


def _named(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers[:NAMED])) + (", ..." if len(numbers) > NAMED else "")
