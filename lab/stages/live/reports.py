"""What the servers say of a run at its end: what went wrong with conversations, daemons that are unwell, strays.

Only what a conversation lacks is a failure. What the servers note of one that has carried every byte of its script is
told and no more: they note a client that hangs up before they have seen that it was done. Strays (connections that no
conversation has claimed, of any kind) are told too: mitmproxy opens some for nothing. But a web server answers them,
with 404, and a client counts bytes; so where there were any, a web conversation that its servers never had has failed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lab.stages.live.player import measures
from lab.stages.live.script import Played, Script

WEB = ("http", "websocket")  # whose servers answer anybody
NEVER = "its server never had it, and answered somebody it did not know"


@dataclass(frozen=True)
class ServersTold:
    """By conversation: ``errors``, for outcomes that have none, and ``notes``; and the rest of the report."""

    errors: Mapping[int, str] = field(default_factory=dict)
    notes: Mapping[int, str] = field(default_factory=dict)
    faults: tuple[str, ...] = ()
    strays: Mapping[str, int] = field(default_factory=dict)
    daemons: Mapping[str, bool] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As an object of lab/run.json."""
        notes = {str(n): note for n, note in sorted(self.notes.items())}
        return {"strays": dict(self.strays), "daemons": dict(self.daemons), "notes": notes}


def servers_told(scripts: Iterable[Script], played: Mapping[int, Played], told: Mapping[str, Any]) -> ServersTold:
    """The servers' answer to ``report``, judged by what was heard of each conversation; KeyError if it lacks a part."""
    rows, strays, daemons = told["conversations"], told["strays"], told["daemons"]
    errors: dict[int, str] = {}
    notes: dict[int, str] = {}
    for script in scripts:
        row, one = rows.get(str(script.n)), played.get(script.n)
        if row and row["error"]:
            kept = errors if one and not one.error and not _carried(script, one, row) else notes
            kept[script.n] = f"servers: {row['error']}"
        elif one and not one.error and row is None and strays.get("unclaimed") and _asks_the_web(script):
            errors[script.n] = f"servers: {NEVER}"
    unwell = tuple(f"servers: {name} does not answer" for name, well in sorted(daemons.items()) if not well)
    return ServersTold(errors, notes, unwell, strays, daemons)


def _carried(script: Script, one: Played, row: Mapping[str, Any]) -> bool:
    """Whether either end has seen all bytes of the script pass; a proxy between them may word some anew.

    Where servers word their replies themselves, the client's count of replies stands for their bytes: it has no error.
    """
    up, down = (int(script.size[script.from_client == side].sum()) for side in (True, False))
    owed = down if measures(script.protocol) is len else 0
    return (one.sent >= up and one.received >= owed) or (row["received"] >= up and row["sent"] >= down)


def _asks_the_web(script: Script) -> bool:
    return not script.inbound and script.protocol in WEB and bool(script.from_client.any())
