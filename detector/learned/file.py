"""A baseline's file: a zip of four Parquet tables and a JSON sheet, the same bytes for the same parts.

What is read is proved: every part's id is the hash of its content (detector/learned/part.py), so a changed number is
found, whoever changed it. The sheet says schema_version first, that an older reader can refuse a newer file.
"""

from __future__ import annotations

import io
import json
import os
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from detector.contract import EvidenceError
from detector.learned.part import Contacted, Habits, Part, Relayed

SCHEMA_VERSION = 3
SHEET = "baseline.json"
TABLES = {"contacted": Contacted, "habits": Habits, "relayed": Relayed, "met": Contacted}
TEXTS = ("devices", "packages", "categories", "destinations", "protocols", "hosts")
STAMP = (2026, 1, 1, 0, 0, 0)  # of every member: a file says nothing of when it was written
NEXT = "make one with: droidrange baseline learn RECORDING... -o FILE"


def write_parts(path: Path, view: str, parts: Sequence[Part]) -> None:
    """The parts into one file: temporary file, fsync, rename. OSError where that cannot be done."""
    sheet = {
        "schema_version": SCHEMA_VERSION,
        "what": "droidrange baseline",
        "droidrange_version": _droidrange(),
        "view": view,
        "parts": [
            {"id": part.id, "span": list(part.span), **{name: getattr(part, name) for name in (*TEXTS, "installed")}}
            for part in parts
        ],
    }
    temporary = path.with_name(f".{path.name}.{os.getpid()}.making")
    try:
        with temporary.open("wb") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr(_member(SHEET, zipfile.ZIP_DEFLATED), json.dumps(sheet, ensure_ascii=False))
                for name in TABLES:
                    archive.writestr(_member(f"{name}.parquet", zipfile.ZIP_STORED), _packed(name, parts))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def read_parts(path: Path) -> tuple[str, tuple[Part, ...]]:
    """The view and parts of a file.

    FileNotFoundError if there is none; LookupError if it is no baseline, or one of another schema version;
    EvidenceError if it is cut or changed.
    """
    if not path.is_file():
        strange = "not a file" if path.exists() else "no such baseline"
        raise FileNotFoundError(2, f"{strange}; {NEXT}", str(path))
    sheet, packed = _opened(path)
    try:
        tables = {
            name: pq.ParquetFile(io.BytesIO(content), pre_buffer=False).read(use_threads=False)
            for name, content in packed.items()
        }
        _refuse_ownerless(len(sheet["parts"]), tables)
        parts = tuple(_part(sheet, k, tables) for k in range(len(sheet["parts"])))
        view = str(sheet["view"])
    except (KeyError, IndexError, TypeError, ValueError, OverflowError, pa.ArrowException) as fault:
        raise EvidenceError(f"{path}: damaged: {fault}; {NEXT}") from None
    for part, told in zip(parts, sheet["parts"], strict=True):
        if part.id != told["id"]:
            raise EvidenceError(
                f"{path}: part {told['id']}: found content {part.id}, expected the part's own id; {NEXT}"
            )
    return view, parts


def _opened(path: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The sheet and the tables' bytes."""
    if not zipfile.is_zipfile(path):
        with path.open("rb") as file:
            head = file.read(4)
        if head == b"PK\x03\x04":
            raise EvidenceError(f"{path}: cut: found a zip without its end, expected a whole one; {NEXT}")
        raise LookupError(f"{path}: found no zip ({head!r}...), expected a baseline; {NEXT}")
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            if SHEET not in names:
                raise LookupError(f"{path}: found a zip of {', '.join(sorted(names)[:3])}, expected a baseline; {NEXT}")
            sheet = json.loads(archive.read(SHEET))
            _refuse_foreign(path, sheet)
            return sheet, {name: archive.read(f"{name}.parquet") for name in TABLES}
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, KeyError, RuntimeError) as fault:
        raise EvidenceError(f"{path}: damaged: {fault}; {NEXT}") from None


def _refuse_foreign(path: Path, sheet: object) -> None:
    found = sheet.get("schema_version") if isinstance(sheet, Mapping) else None
    if found != SCHEMA_VERSION:
        raise LookupError(f"{path}: found schema_version {found!r}, expected {SCHEMA_VERSION}; {NEXT}")


def _member(name: str, how: int) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name, STAMP)
    member.compress_type = how
    return member


def _packed(name: str, parts: Sequence[Part]) -> bytes:
    """The rows of one table of all parts, with the part of each."""
    tables = [getattr(part, name) for part in parts]
    lengths = [len(next(iter(vars(table).values()))) for table in tables]
    columns = {"part": np.repeat(np.arange(len(parts)), lengths)}
    for field in fields(TABLES[name]):
        columns[field.name] = np.concatenate([getattr(table, field.name) for table in tables])
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out, compression="zstd", use_dictionary=False, store_schema=False)
    return out.getvalue()


def _part(sheet: Mapping[str, Any], number: int, tables: Mapping[str, pa.Table]) -> Part:
    told = sheet["parts"][number]
    texts = {name: tuple(str(text) for text in told[name]) for name in TEXTS}
    first, last = told["span"]
    rows = {name: _rows(tables[name], kind, number) for name, kind in TABLES.items()}
    _refuse_codes(texts, rows)
    installed = tuple((str(device), str(package)) for device, package in told["installed"])
    columns: dict[str, Any] = {**texts, **rows, "installed": installed}
    return Part(view=str(sheet["view"]), span=(int(first), int(last)), **columns).named()


def _refuse_ownerless(parts: int, tables: Mapping[str, pa.Table]) -> None:
    """ValueError where there is no part, or rows of none."""
    for name, table in tables.items():
        owner = table["part"].to_numpy()
        if not parts or (len(owner) and not (owner.min() >= 0 and owner.max() < parts)):
            raise ValueError(f"found {parts} parts, expected one for every row of {name}")


def _rows(table: pa.Table, kind: type[Any], number: int) -> Any:
    names = [field.name for field in fields(kind)]
    if table.column_names != ["part", *names]:
        raise ValueError(f"found columns {', '.join(table.column_names)}, expected part, {', '.join(names)}")
    mine = table["part"].to_numpy() == number
    return kind(*(table[name].to_numpy()[mine] for name in names))


def _refuse_codes(texts: Mapping[str, tuple[str, ...]], rows: Mapping[str, Any]) -> None:
    """ValueError for a code that names no text."""
    habits = rows["habits"]
    held = [("devices", rows[name].device, 0) for name in ("contacted", "relayed", "met")]
    held += [("packages", rows[name].package, -1) for name in TABLES]
    held += [("destinations", rows["contacted"].destination, 0), ("hosts", rows["met"].destination, 0)]
    held += [("protocols", habits.value[habits.kind == 3], 0)]
    for name, column, least in held:
        if len(column) and not (least <= column.min() and column.max() < len(texts[name])):
            raise ValueError(f"found a code beyond the {len(texts[name])} {name}")
    if len(texts["categories"]) != len(texts["packages"]):
        raise ValueError(f"found {len(texts['categories'])} categories for {len(texts['packages'])} packages")


def _droidrange() -> str:
    try:
        return version("droidrange")
    except PackageNotFoundError:
        return "unknown"
