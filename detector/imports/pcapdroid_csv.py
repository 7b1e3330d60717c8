"""PCAPdroid's CSV of connections: flows with uid, app and package, told by the phone itself.

Columns as ConnectionsAdapter.java writes them (PCAPdroid at c735049). Nothing is quoted, though App and Info may hold
commas: such lines are put together again by what stands left and right of them. BytesSent and BytesRcvd count IP
packets (from memory), so payload is what the smallest headers leave; Status is localised text and is not read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from detector.imports.account import Account, Faults
from detector.imports.delimited import PORT, TEXT, Fault, Layout, Lines, read_lines
from detector.imports.headers import payload
from detector.imports.moments import iso8601
from detector.imports.opened import Opened
from detector.imports.sessions import Told
from detector.imports.words import lower

WANTED = {
    "IPProto": TEXT,
    "SrcIP": TEXT,
    "SrcPort": PORT,
    "DstIp": TEXT,
    "DstPort": PORT,
    "UID": TEXT,
    "App": TEXT,
    "PackageName": TEXT,
    "Proto": TEXT,
    "Info": TEXT,
    "FirstSeen": TEXT,
    "LastSeen": TEXT,
    **dict.fromkeys(("BytesSent", "BytesRcvd", "PktsSent", "PktsRcvd"), "count"),
}
_NEEDED = ("IPProto", "SrcIP", "SrcPort", "DstIp", "DstPort", "UID", "FirstSeen", "LastSeen")
_PROTOCOLS = {"1": "icmp", "6": "tcp", "17": "udp", "58": "icmp"}
#: PCAPdroid's protocols (nDPI's names) in our words.
_SPOKEN = {"https": "tls", "tls": "tls", "http": "http", "dns": "dns", "quic": "quic", "imaps": "tls", "smtps": "tls"}
_HOST = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+")


@dataclass(frozen=True)
class _Row:
    """A line put together again: how many columns stand left and right of what may hold commas."""

    columns: list[str]
    separator: str = "\x1f"

    def text(self, line: str) -> str | None:
        """The line with separators that no text holds; None where it has too few columns."""
        parts, many = line.split(","), len(self.columns)
        if len(parts) == many or len(parts) < many:
            return self.separator.join(parts)
        app, info = self.columns.index("App"), self.columns.index("Info")
        tail = many - info - 1
        after, middle = parts[len(parts) - tail :], parts[app : len(parts) - tail]
        between = info - app - 1  # PackageName, Proto, Status: none of them holds a comma
        last = len(middle) - between - 1  # as if Info held no comma, where no name of a package tells
        name = next((end for end in range(1, last + 1) if _package(middle[end])), last)
        info_text = ",".join(middle[name + between :])
        return self.separator.join(
            [*parts[:app], ",".join(middle[:name]), *middle[name : name + between], info_text, *after]
        )


def _package(text: str) -> bool:
    return bool(re.fullmatch(r"[A-Za-z]\w*(?:\.\w+)+", text))


def read(log: Opened, account: Account, faults: Faults) -> Told:
    """The connections of a CSV file."""
    head, _, body = bytes(log.data).removeprefix(b"\xef\xbb\xbf").partition(b"\n")
    columns = head.decode("utf-8", "replace").strip().split(",")
    account.lines = 1
    account.leave("remarks", 1)
    missing = [name for name in _NEEDED if name not in columns]
    if missing:
        faults.add(f"{log.path}, line 1", f"no column {', '.join(missing)}", "PCAPdroid's columns")
        return Told(None)
    lines = _lines(body, columns)
    account.lines += lines.count
    account.leave("unreadable", len(lines.faults))
    if lines.faults:
        faults.many(str(log.path), lines.faults[0], len(lines.faults))
    account.row("flows", lines.table.num_rows)
    return _told(lines.table)


def _lines(body: bytes, columns: list[str]) -> Lines:
    """The lines with their columns; those whose times are none are faults."""
    row = _Row(columns)
    whole = body
    if "App" in columns and "Info" in columns and _commas(body, len(columns)):
        texts = (row.text(line) for line in body.decode("utf-8", "replace").split("\n"))
        whole, separator = "\n".join(text or "" for text in texts).encode(), row.separator
    else:
        separator = ","
    layout = Layout(columns, WANTED, separator, nothing=("",), remark=b"")
    lines = read_lines(memoryview(whole), layout, 2)
    wrong = pc.is_null(iso8601(lines.table["FirstSeen"]))
    if not pc.any(wrong).as_py():
        return lines
    sound = lines.table.filter(pc.invert(wrong))
    bad = lines.table.filter(wrong)["FirstSeen"].to_pylist()
    more: list[Fault] = [
        (_line_of(body, text), repr(text), "a time such as 2026-03-02T12:00:00.000+01:00") for text in bad
    ]
    return Lines(sound, lines.remarks, (*lines.faults, *more))


def _commas(body: bytes, columns: int) -> bool:
    """Whether any text holds a comma."""
    return body.count(b",") != (columns - 1) * (body.count(b"\n") + (not body.endswith(b"\n") and bool(body)))


def _line_of(body: bytes, text: str | None) -> int:
    place = body.find((text or ",,").encode())
    return 2 + body[: max(place, 0)].count(b"\n")


def _told(lines: pa.Table) -> Told:
    proto = lines["IPProto"]
    for number, name in _PROTOCOLS.items():
        proto = pc.if_else(pc.fill_null(pc.equal(proto, number), False), name, proto)
    start, end = iso8601(lines["FirstSeen"]), iso8601(lines["LastSeen"])
    uid = _uid(lines["UID"])
    spoken = _spoken(lines)
    sent, got = _optional(lines, "PktsSent"), _optional(lines, "PktsRcvd")
    both = pc.and_(pc.greater(sent, 0), pc.greater(got, 0))
    said = pc.and_(pc.greater(_optional(lines, "BytesSent"), 0), pc.greater(_optional(lines, "BytesRcvd"), 0))
    columns: dict[str, Any] = {
        "key": pa.array(range(lines.num_rows), pa.int64()),
        "client": lines["SrcIP"],
        "client_port": lines["SrcPort"],
        "server": lines["DstIp"],
        "server_port": lines["DstPort"],
        "proto": proto,
        "start": start,
        "end": pc.coalesce(end, start),
        "established": pc.coalesce(both, said),
        "packets_up": sent,
        "packets_down": got,
        "bytes_up": payload(_optional(lines, "BytesSent"), sent, proto, lines["SrcIP"]),
        "bytes_down": payload(_optional(lines, "BytesRcvd"), got, proto, lines["SrcIP"]),
        "app_proto": spoken,
        **_names(lines, spoken),
        "uid": uid,
        "package": pc.if_else(pc.is_valid(uid), _texts(lines, "PackageName"), None),
        "local_client": pa.array([True] * lines.num_rows, pa.bool_()),
    }
    flows = pa.table(columns)
    return Told(flows, {"dns": _look_ups(flows, _texts(lines, "Info"))})


def _look_ups(flows: pa.Table, info: Any) -> pa.Table:
    """DNS connections as look-ups of the name in Info; type, answers and code are not told."""
    named = pc.fill_null(pc.match_substring_regex(info, f"^{_HOST.pattern}$"), False)
    asks = pc.and_(pc.fill_null(pc.equal(flows["app_proto"], "dns"), False), named)
    some, count = flows.filter(asks), int(pc.sum(asks.cast(pa.int64())).as_py() or 0)
    unknown = pa.nulls(count, pa.string())
    return pa.table(
        {
            "flow": some["key"],
            "time": some["start"],
            "answered": unknown.cast(pa.int64()),
            "client": some["client"],
            "server": some["server"],
            "qname": lower(info.filter(asks)),
            "qtype": unknown,
            "rcode": unknown.cast(pa.int32()),
            "answers": pa.array([[]] * count, pa.list_(pa.string())),
            "bytes_up": some["bytes_up"],
            "bytes_down": some["bytes_down"],
        }
    )


def _texts(lines: pa.Table, name: str) -> Any:
    return lines[name] if name in lines.column_names else pa.nulls(lines.num_rows, pa.string())


def _optional(lines: pa.Table, name: str) -> Any:
    return lines[name] if name in lines.column_names else pa.nulls(lines.num_rows, pa.int64())


def _uid(column: Any) -> Any:
    """The uid; null where PCAPdroid did not know it (-1, -2)."""
    number = pc.if_else(pc.fill_null(pc.match_substring_regex(column, r"^\d{1,9}$"), False), column, None)
    return number.cast(pa.int32())


def _spoken(lines: pa.Table) -> Any:
    said = _texts(lines, "Proto")
    kinds = pc.unique(said).to_pylist()
    ours = [_SPOKEN.get(kind.lower().split(".")[0]) if kind else None for kind in kinds]
    return pa.array(ours, pa.string()).take(pc.index_in(said, value_set=pa.array(kinds, pa.string())))


def _names(lines: pa.Table, spoken: Any) -> dict[str, Any]:
    """Info is the server's name: for TLS and QUIC the SNI, for HTTP the Host, for DNS the name asked for."""
    info = _texts(lines, "Info")
    plain = pc.if_else(pc.fill_null(pc.match_substring_regex(info, f"^{_HOST.pattern}$"), False), info, None)
    secured = pc.fill_null(pc.is_in(spoken, value_set=pa.array(["tls", "quic"])), False)
    clear = pc.fill_null(pc.equal(spoken, "http"), False)
    return {"sni": lower(pc.if_else(secured, plain, None)), "host": lower(pc.if_else(clear, plain, None))}
