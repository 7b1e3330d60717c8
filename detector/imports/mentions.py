"""Connections that several logs speak of: the first line of each about it, and those that only others mention."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

ENDS = ("client", "client_port", "server", "server_port", "proto")


class FirstLine:
    """The first line of a log about each connection."""

    def __init__(self, uids: Any, log: pa.Table) -> None:
        self.log = log
        self.place = pc.index_in(uids, value_set=log["uid"].combine_chunks())

    def column(self, name: str) -> Any:
        """That column, null where the log does not know the connection."""
        return self.log[name].take(self.place)

    def knows(self) -> Any:
        """Whether the log knows the connection."""
        return pc.is_valid(self.place)


def only_mentioned(mentions: pa.Table, have: Any) -> pa.Table:
    """Flows of the connections in ``mentions`` (uid, ENDS, start) that are not in ``have``: from first to last mention.

    Their counts are unknown, and so is when they began and ended beyond what was mentioned.
    """
    unknown = pc.and_(pc.is_valid(mentions["uid"]), pc.invert(pc.is_in(mentions["uid"], value_set=have)))
    rest = mentions.filter(unknown)
    first = [(name, "first") for name in ENDS]
    grouped = rest.group_by("uid", use_threads=False).aggregate([*first, ("start", "min"), ("start", "max")])
    columns = {"uid": grouped["uid"], **{name: grouped[f"{name}_first"] for name in ENDS}}
    return pa.table({**columns, "start": grouped["start_min"], "end": grouped["start_max"]})
