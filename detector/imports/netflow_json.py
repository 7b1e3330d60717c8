"""nfdump's JSON output (``-o json``: one array; ``-o ndjson``: an object a line) as flows.

Names as in nfdump's output_json (from memory): src4_addr or src6_addr, in_packets, first and last in UTC.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from detector.imports.account import Account, Faults
from detector.imports.arrays import elements
from detector.imports.delimited import Fault, Lines
from detector.imports.moments import iso8601
from detector.imports.netflow import NUMBERS, told
from detector.imports.netflow_csv import flags_of
from detector.imports.objects import read_objects
from detector.imports.opened import Opened
from detector.imports.sessions import Told
from detector.imports.undated import dated

_TEXT, _WHOLE = pa.string(), pa.int64()
SCHEMA = pa.schema(
    [
        *((name, _TEXT) for name in ("src4_addr", "src6_addr", "dst4_addr", "dst6_addr")),
        *((name, _WHOLE) for name in ("src_port", "dst_port", "proto")),
        *((name, _TEXT) for name in ("first", "last", "tcp_flags")),
        *((name, _WHOLE) for name in ("in_packets", "in_bytes", "out_packets", "out_bytes")),
    ]
)


def read(log: Opened, account: Account, faults: Faults) -> Told:
    """The flows of a JSON file of records; an account counts records, which may have many lines each."""
    data = bytes(log.data)
    lines = _array(data, log, faults) if data.lstrip()[:1] == b"[" else read_objects(memoryview(data), SCHEMA, 1)
    account.lines = lines.count
    account.leave("unreadable", len(lines.faults))
    if lines.faults:
        faults.many(str(log.path), lines.faults[0], len(lines.faults))
    records = _records(lines.table)
    records = dated(records, records["start"], lines.table["first"], account, faults)
    account.row("flows", records.num_rows)
    return told(records)


def _array(data: bytes, log: Opened, faults: Faults) -> Lines:
    """The records of one array, as far as they can be read."""
    text = data.decode("utf-8", "replace")
    found = elements(text, text.index("["), str(log.path), faults)
    rows: list[Any] = []
    wrong: list[Fault] = []
    for number, one in enumerate(found, 1):
        try:
            rows += pa.Table.from_pylist([one], SCHEMA).to_pylist()
        except (pa.ArrowException, TypeError, AttributeError, OverflowError) as fault:
            wrong.append((number, f"record {number} ({str(fault).splitlines()[0][:80]})", "a record of nfdump"))
    return Lines(pa.Table.from_pylist(rows, SCHEMA), 0, tuple(wrong))


def _records(rows: pa.Table) -> pa.Table:
    proto = rows["proto"].cast(_TEXT)
    for number, name in NUMBERS.items():
        proto = pc.if_else(pc.fill_null(pc.equal(proto, number), False), name, proto)
    start = iso8601(rows["first"])
    columns: dict[str, Any] = {
        "start": start,
        "end": pc.coalesce(iso8601(rows["last"]), start),
        "client": pc.coalesce(rows["src4_addr"], rows["src6_addr"]),
        "server": pc.coalesce(rows["dst4_addr"], rows["dst6_addr"]),
        "client_port": rows["src_port"].cast(pa.int32()),
        "server_port": rows["dst_port"].cast(pa.int32()),
        "proto": proto,
        "flags": flags_of(rows["tcp_flags"]),
        "packets": rows["in_packets"],
        "octets": rows["in_bytes"],
        "packets_back": rows["out_packets"],
        "octets_back": rows["out_bytes"],
    }
    return pa.table(columns)
