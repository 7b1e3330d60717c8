"""What detectors are tried on: telemetry where nothing happened, nonsense, and telemetry with labels lying about.

No case says anything true: labels here are parity, not incidents, so that whoever follows them follows a lie.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from detector.contract import SCHEMAS, Telemetry
from lab.store import write_atomic

DAY_US = 86_400_000_000
ROWS = 40
#: The header of a classic pcap: little-endian, version 2.4, snap length, Ethernet.
HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, 1)
#: Texts that break what was never tried on them: long, empty, controls, right to left, a path, a formula, SQL.
TEXTS = (
    "",
    "x" * 20_000,
    "\x00\x1b[2J\n",
    "\u202ereversed",
    "../../etc/passwd",
    "=1+1",
    "'; DROP TABLE flows; --",
    "ä.例え.test",
)
FOLDERS = ("malicious-https-poll-s1", "benign-twin-s2")  # names that tell, and lie


def nothing(folder: Path) -> Telemetry:
    """A day of telemetry with every table and a capture, and nothing in any of them."""
    capture = folder / "capture.pcap"
    capture.write_bytes(HEADER)
    return Telemetry({name: schema.empty_table() for name, schema in SCHEMAS.items()}, (0, DAY_US), "full", capture, 0)


def neutral(telemetry: Telemetry, folder: Path) -> Telemetry:
    """The same, its capture under a name and in a folder that tell nothing."""
    if telemetry.capture is None:
        return telemetry
    folder.mkdir()
    (folder / "capture.pcap").write_bytes(telemetry.capture.read_bytes())
    return replace(telemetry, capture=folder / "capture.pcap")


def nonsense(sound: Telemetry, folder: Path) -> Iterator[tuple[str, Telemetry]]:
    """Telemetry that no sensor should write, by what is wrong with it."""
    yield "no table at all", Telemetry({}, (0, DAY_US))
    yield "nothing but nulls", Telemetry({name: _filled(name, null=True) for name in SCHEMAS}, (0, DAY_US))
    yield "extreme values", Telemetry({name: _filled(name, null=False) for name in SCHEMAS}, (0, DAY_US))
    yield "time that runs backwards", _backwards(sound)
    content = b"" if sound.capture is None else sound.capture.read_bytes()
    junk = bytes((number * 167 + 13) % 256 for number in range(100_000))
    captures = {
        "a capture that is cut": content[: len(content) // 2 + 7],
        "a capture of junk": HEADER + junk,
        "an empty file for a capture": b"",
    }
    for number, (name, cut) in enumerate(captures.items()):
        capture = folder / f"{number}.pcap"
        capture.write_bytes(cut)
        yield name, replace(sound, capture=capture, partial=name)


def _filled(name: str, *, null: bool) -> pa.Table:
    columns = [[None if null else _extreme(field.type, row) for row in range(ROWS)] for field in SCHEMAS[name]]
    return pa.table(
        [pa.array(one, field.type) for one, field in zip(columns, SCHEMAS[name], strict=True)], SCHEMAS[name]
    )


def _extreme(kind: pa.DataType, row: int) -> Any:
    if pa.types.is_integer(kind):
        most = 2 ** (kind.bit_width - 1) - 1
        return (most, -most - 1, 0, -1)[row % 4]
    if pa.types.is_boolean(kind):
        return row % 2 == 0
    if pa.types.is_floating(kind):
        return (float("nan"), float("inf"), -float("inf"), 0.0)[row % 4]
    if pa.types.is_list(kind):
        return [_extreme(kind.value_type, row)]
    return TEXTS[row % len(TEXTS)]


def _backwards(sound: Telemetry) -> Telemetry:
    tables = dict(sound.tables)
    for name, table in sound.tables.items():
        if {"start", "end"} <= set(table.column_names):
            swapped = {"start": table["end"], "end": table["start"]}
            for column, values in swapped.items():
                place = table.schema.get_field_index(column)
                table = table.set_column(place, table.schema.field(place), values)  # noqa: PLW2901 - built up column by column
            tables[name] = table
    return replace(sound, tables=tables, span=(sound.span[1], sound.span[0]))


def labelled(sound: Telemetry, folder: Path, liar: int, *, shown: Telemetry | None = None) -> Telemetry:
    """The same telemetry in a recording whose every corner says who is guilty; liars 0 and 1 accuse opposite halves.

    ``shown`` is telemetry to be shown instead, with the same labels about.

    Labels lie in the names of folders, in truth/ and telemetry/ beside the capture, in the manifest, in tables of their
    own, and in the metadata of tables and columns.
    """
    place = folder / FOLDERS[liar]
    for name in ("telemetry", "truth"):
        (place / name).mkdir(parents=True)
    accused = list(_accused(sound, liar))
    for name in ("telemetry/labels.json", "truth/incidents.json", "labels.json"):
        write_atomic(place / name, json.dumps(accused).encode())
    table = pa.Table.from_pylist(accused, _LABELS)
    for name in ("telemetry/labels.parquet", "truth/incidents.parquet", "truth/flows.parquet"):
        pq.write_table(table, place / name)
    lines = ["\t".join(str(value) for value in row.values()) for row in accused]
    for name in ("telemetry/conn.log.labeled", "truth/conn.log.labeled"):
        write_atomic(place / name, "\n".join(["#fields\t" + "\t".join(_LABELS.names), *lines, ""]).encode())
    about = {"scenario": FOLDERS[liar], "seed": liar, "complete": True, "incidents": accused, "files": {}}
    write_atomic(place / "recording.json", json.dumps(about).encode())
    shown = shown or sound
    tables = {name: _marked(one, accused) for name, one in shown.tables.items()}
    more = {"labels": table, "incidents": table}
    capture = None
    if shown.capture is not None:
        capture = place / "telemetry" / "capture.pcap"
        capture.write_bytes(shown.capture.read_bytes())
    return replace(shown, tables={**tables, **more}, capture=capture)


_LABELS = pa.schema(
    [(name, pa.string()) for name in ("analytic", "device", "package", "peer", "label", "detailedlabel")]
)


def _accused(sound: Telemetry, liar: int) -> Iterator[dict[str, str | None]]:
    """Every app and place, accused or acquitted by parity."""
    flows = sound.tables.get("flows", SCHEMAS["flows"].empty_table())
    who = sorted({(f["device"], f["package"] or "", f["name"] or f["server"] or "") for f in flows.to_pylist()})
    for number, (device, package, peer) in enumerate(who):
        guilty = number % 2 == liar
        yield {
            "analytic": "AN1793" if guilty else None,
            "device": device,
            "package": package,
            "peer": peer,
            "label": "Malicious" if guilty else "Benign",
            "detailedlabel": "C2" if guilty else "-",
        }


def _marked(table: pa.Table, accused: list[dict[str, str | None]]) -> pa.Table:
    """The table with the labels in the metadata of its schema and of its columns."""
    said: Mapping[str, str] = {"labels": json.dumps(accused)}
    fields = [field.with_metadata(said) for field in table.schema]
    return table.cast(pa.schema(fields, metadata=said))
