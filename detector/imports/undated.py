"""Rows whose time cannot be read: told of as a fault and left, since nobody can say when they were."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from detector.imports.account import Account, Faults


def dated(rows: pa.Table, times: Any, said: Any, account: Account, faults: Faults) -> pa.Table:
    """The rows that have a time: ``times`` are those read (null: none), ``said`` what the file says of each row.

    EvidenceError for the others, or with ``allow_partial`` they are counted and told.
    """
    missing = pc.is_null(times)
    count = int(pc.sum(missing.cast(pa.int64())).as_py() or 0)
    if not count:
        return rows
    account.leave("without a time", count)
    first = said.filter(missing)[0].as_py()
    found = "no time that can be read" if first is None else f"the time {first!r}"
    faults.add(f"{account.path}: {count} of {rows.num_rows} lines", found, "seconds since the epoch or ISO 8601")
    return rows.filter(pc.invert(missing))
