"""nfdump's CSV output (``nfdump -r FILE -o csv``): NetFlow 5, 9, IPFIX and sFlow records as text.

Columns by name: those of release 1.6 and of 1.7 (from memory of nfdump's output_csv and its manual page); a summary
that older releases append is passed over.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from detector.columns import codes
from detector.imports.account import Account, Faults
from detector.imports.delimited import REAL, TEXT, WHOLE, Layout, read_lines
from detector.imports.moments import iso8601, microseconds
from detector.imports.netflow import NUMBERS, told
from detector.imports.opened import Opened
from detector.imports.sessions import Told
from detector.imports.undated import dated

#: Ours -> theirs, in either release.
NAMES = {
    "start": ("ts", "firstseen"),
    "end": ("te", "lastseen"),
    "duration": ("td", "duration"),
    "client": ("sa", "srcaddr"),
    "server": ("da", "dstaddr"),
    "client_port": ("sp", "srcport"),
    "server_port": ("dp", "dstport"),
    "proto": ("pr", "proto"),
    "flags": ("flg", "flags", "tcpflags"),
    "packets": ("ipkt", "packets", "inpackets"),
    "octets": ("ibyt", "bytes", "inbytes"),
    "packets_back": ("opkt", "outpackets"),
    "octets_back": ("obyt", "outbytes"),
}
_KINDS = {"duration": REAL, "client_port": TEXT, "server_port": TEXT}
_COUNTS = ("packets", "octets", "packets_back", "octets_back")
_PADDING = re.compile(rb" *, *")
_NEEDED = ("start", "client", "server", "proto")
_FLAG_LETTERS = {"F": 0x01, "S": 0x02, "R": 0x04, "P": 0x08, "A": 0x10, "U": 0x20, "E": 0x40, "C": 0x80}


def read(log: Opened, account: Account, faults: Faults) -> Told:
    """The flows of a CSV file of records."""
    data = bytes(log.data).removeprefix(b"\xef\xbb\xbf")
    head, _, body = data.partition(b"\n")
    body, after = _before_summary(body)
    columns = [name.strip().lower() for name in head.decode("utf-8", "replace").strip().split(",")]
    mine = {ours: next((name for name in theirs if name in columns), None) for ours, theirs in NAMES.items()}
    account.lines = 1 + after
    account.leave("remarks", 1 + after)
    missing = [NAMES[name][0] for name in _NEEDED if mine[name] is None]
    if missing:
        faults.add(f"{log.path}, line 1", f"no column {', '.join(missing)}", "nfdump's columns")
        return Told(None)
    wanted = {name: WHOLE if ours in _COUNTS else _KINDS.get(ours, TEXT) for ours, name in mine.items() if name}
    lines = read_lines(
        memoryview(_PADDING.sub(b",", body) if b", " in body else body), Layout(columns, wanted, ",", ("", "-"), b""), 2
    )
    account.lines += lines.count
    account.leave("unreadable", len(lines.faults))
    if lines.faults:
        faults.many(str(log.path), lines.faults[0], len(lines.faults))
    records = _records({ours: lines.table[name] for ours, name in mine.items() if name})
    records = dated(records, records["start"], lines.table[mine["start"]], account, faults)
    account.row("flows", records.num_rows)
    return told(records)


def _before_summary(body: bytes) -> tuple[bytes, int]:
    """The records, and how many lines of a summary follow."""
    at = body.find(b"\nSummary")
    return (
        (body, 0) if at < 0 else (body[: at + 1], len([line for line in body[at + 1 :].split(b"\n") if line.strip()]))
    )


def _records(columns: dict[str, Any]) -> pa.Table:
    start = _time(columns["start"])
    lasted = columns.get("duration")
    end = _time(columns["end"]) if "end" in columns else None
    if end is None and lasted is not None:
        length = np.rint(np.asarray(lasted.fill_null(0.0).to_numpy()) * 1e6).astype(np.int64)
        end = pc.add(start, pa.array(length))
    made = {"start": start, "end": start if end is None else pc.coalesce(end, start)}
    made |= {name: columns[name] for name in ("client", "server", *_COUNTS) if name in columns}
    for name in ("client_port", "server_port"):  # of ICMP nfdump writes type.code
        made[name] = _port(columns[name]) if name in columns else pa.nulls(len(start), pa.int32())
    made["proto"] = _proto(columns["proto"])
    made["flags"] = flags_of(columns["flags"]) if "flags" in columns else pa.nulls(len(start), pa.int64())
    for name in ("packets", "octets"):
        made.setdefault(name, pa.nulls(len(start), pa.int64()))
    return pa.table(made)


def _time(column: Any) -> Any:
    """Times as text (UTC where no offset is written) or as seconds since the epoch."""
    try:
        return microseconds(column.cast(pa.float64()))
    except pa.ArrowInvalid:
        return iso8601(column)


def _port(column: Any) -> Any:
    try:
        return column.cast(pa.int32())
    except pa.ArrowInvalid:
        pass
    plain = pc.fill_null(pc.match_substring_regex(column, r"^\d{1,5}$"), False)
    return pc.if_else(plain, column, "0").cast(pa.int32())


def _proto(column: Any) -> Any:
    found = codes(pc.utf8_lower(column))
    names = [NUMBERS.get(text, text) for text in found.texts] + [None]
    return pa.chunked_array([pa.array(names, pa.string()).take(pa.array(found.code % len(names)))])


def flags_of(column: Any) -> Any:
    """TCP flags of letters such as ...AP.SF, or of a number."""
    found = codes(column)
    values = [_flag(text) for text in found.texts] + [0]
    return pa.array(np.array(values, np.int64)[found.code])


def _flag(text: str) -> int:
    if text.isdigit():
        return int(text) & 0xFF
    return sum(value for letter, value in _FLAG_LETTERS.items() if letter in text.upper())
