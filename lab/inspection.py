"""A look into a recording or capture: who spoke, in which protocol, and when. No verdict, no truth."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute

from detector.contract import Advance, Telemetry, rfc3339

STRIP = 48  # cells of a timing strip
SHADES = " ▁▂▃▄▅▆▇█"


@dataclass(frozen=True)
class Destination:
    """One (device, app, server) and its flows: counts, bytes up and down, and flows per STRIP-th of the span.

    Bytes are None where the sensor counts none. Of a resolver's log, what was asked for stands for the server.
    """

    device: str
    package: str | None
    server: str
    app_proto: str | None
    flows: int
    bytes_up: int | None
    bytes_down: int | None
    strip: tuple[int, ...]


@dataclass(frozen=True)
class Inspection:
    """What is in it: totals, flows per protocol, and the destinations with most flows first."""

    source: str
    first: str
    last: str
    span_s: float
    packets: int | None
    partial: str | None
    outside: dict[str, int]  # packets that were read and are in no table, by reason
    tables: dict[str, int]
    protocols: dict[str, int]
    destinations: tuple[Destination, ...]

    def to_json(self) -> dict[str, Any]:
        """The inspection as a JSON object, schema version 1."""
        return {"schema_version": 1, **asdict(self)}


def inspect_path(path: Path, *, allow_partial: bool, advance: Advance) -> Inspection:
    """Reads a recording or capture and sums it up; EvidenceError as in ``detect``."""
    from lab.detection import read

    return inspect_telemetry(str(path), read(path, allow_partial=allow_partial, advance=advance))


def inspect_telemetry(source: str, telemetry: Telemetry) -> Inspection:
    """The sum of a telemetry: pure."""
    flows = telemetry["flows"] if "flows" in telemetry else _asked(telemetry["dns"])
    first, last = telemetry.span
    protocols = pa.compute.coalesce(flows["app_proto"], flows["proto"]).value_counts().to_pylist()
    return Inspection(
        source=source,
        first=rfc3339(first),
        last=rfc3339(last),
        span_s=(last - first) / 1e6,
        packets=telemetry.packets,
        partial=telemetry.partial,
        outside=dict(telemetry.outside),
        tables={name: table.num_rows for name, table in sorted(telemetry.tables.items())},
        protocols={row["values"]: row["counts"] for row in sorted(protocols, key=lambda row: -row["counts"])},
        destinations=_destinations(flows, first, last),
    )


def _asked(dns: pa.Table) -> pa.Table:
    """Look-ups that no flow is known of, in the columns of flows that are looked at."""
    count = dns.num_rows
    same = {"device": dns["client"], "client": dns["client"], "name": dns["qname"], "server": dns["server"]}
    told = {"start": dns["time"], "bytes_up": dns["bytes_up"], "bytes_down": dns["bytes_down"]}
    said = {"app_proto": pa.array(["dns"] * count, pa.string()), "proto": pa.nulls(count, pa.string())}
    nobody = {"package": pa.nulls(count, pa.string()), "inbound": pa.array([False] * count)}
    return pa.table({**same, **told, **said, **nobody})


def _destinations(flows: pa.Table, first: int, last: int) -> tuple[Destination, ...]:
    peers = pa.compute.if_else(flows["inbound"], flows["client"], pa.compute.coalesce(flows["name"], flows["server"]))
    cell = (flows["start"].to_numpy() - first) * STRIP // max(last - first + 1, 1)
    keyed = pa.table(
        {
            "device": flows["device"],
            "package": flows["package"],
            "server": peers,
            "app_proto": flows["app_proto"],
            "bytes_up": flows["bytes_up"],
            "bytes_down": flows["bytes_down"],
            "cell": pa.array(np.clip(cell, 0, STRIP - 1)),
        }
    )
    key = ["device", "package", "server", "app_proto"]
    sums = [("bytes_up", "sum"), ("bytes_down", "sum"), ("cell", "list")]
    grouped = keyed.group_by(key, use_threads=False).aggregate(sums).to_pylist()
    rows = [
        Destination(
            **{name: group[name] for name in key},
            flows=len(group["cell_list"]),
            bytes_up=group["bytes_up_sum"],
            bytes_down=group["bytes_down_sum"],
            strip=tuple(np.bincount(group["cell_list"], minlength=STRIP).tolist()),
        )
        for group in grouped
    ]
    return tuple(sorted(rows, key=lambda row: (-row.flows, row.device, row.server or "")))


def strip_text(counts: tuple[int, ...], cells: int = STRIP) -> str:
    """The timing strip in block characters: height is what fell into a cell against the busiest one.

    ``cells`` divides the number of counts.

    >>> strip_text((0, 1, 4, 8), cells=4)
    ' ▁▄█'
    >>> strip_text((0, 1, 4, 8), cells=2)
    '▁█'
    """
    binned = np.array(counts, dtype=np.int64).reshape(min(cells, len(counts)), -1).sum(axis=1)
    top = max(int(binned.max()), 1)
    return "".join(SHADES[-(-count * (len(SHADES) - 1) // top)] for count in binned.tolist())


def brief(count: float | None) -> str:
    """A number of bytes in at most five characters; a question mark for what is not known.

    >>> brief(999), brief(251_459), brief(1_760_600), brief(23_000_000_000), brief(None)
    ('999', '251k', '1.8M', '23G', '?')
    """
    if count is None:
        return "?"
    for unit in ("", "k", "M"):
        if count < 999.5:
            return f"{count:.1f}{unit}" if unit == "M" and count < 9.95 else f"{count:.0f}{unit}"
        count = count / 1000
    return f"{count:.0f}G"


def strip_cells(width: int) -> int:
    """How many cells of a strip suit a terminal of that many columns."""
    return STRIP if width >= 130 else STRIP // 2


def print_inspection(seen: Inspection, most: int = 40) -> None:
    """The inspection as tables on stdout, at most ``most`` destinations (all of them are in --json)."""
    from rich.table import Table
    from rich.text import Text

    from lab.console import plural, printable, screen

    console = screen()
    covered = f"{seen.first} to {seen.last}, {seen.span_s:.0f} s, " if seen.destinations else ""
    size = plural(seen.packets, "packet") if seen.packets is not None else "no packets counted"
    console.print(f"{seen.source}: {covered}{size}", markup=False)
    if seen.partial:
        console.print(f"PARTIAL EVIDENCE: {seen.partial}", markup=False)
    left = {name: count for name, count in seen.outside.items() if count}
    if left:
        console.print("in no table: " + ", ".join(f"{name} {count}" for name, count in left.items()))
    console.print("tables: " + ", ".join(f"{name} {rows}" for name, rows in seen.tables.items()))
    console.print("flows:  " + ", ".join(f"{name} {flows}" for name, flows in seen.protocols.items()))
    table = Table()
    table.add_column("device, app -> server", overflow="fold")
    for heading in ("protocol", "flows", "bytes", "when"):
        table.add_column(heading, no_wrap=True)
    for row in seen.destinations[:most]:
        who = " ".join(word for word in (row.device, row.package, "->", row.server) if word)
        volume = f"{brief(row.bytes_up)}/{brief(row.bytes_down)}"
        strip = strip_text(row.strip, strip_cells(console.width))
        cells = (who, row.app_proto or "-", str(row.flows), volume, strip)
        table.add_row(*(Text(printable(cell)) for cell in cells))
    console.print(table)
    if len(seen.destinations) > most:
        console.print(f"... and {len(seen.destinations) - most} more destinations: --json lists them all")
