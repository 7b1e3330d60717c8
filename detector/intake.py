"""From a path to Telemetry: a capture file, another sensor's logs, a telemetry folder, or the recording that holds one.

What is given is checked, never repaired: a table with a missing, foreign or mistyped column is an EvidenceError that
names file and column. A foreign column is refused too, because it might be the answer.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from detector.accompanied import BESIDE, owned_flows, renamed
from detector.contract import EvidenceError, Progress, Telemetry
from detector.derived import Derived, cache_key, read_cache, write_cache
from detector.imports.account import Faults
from detector.imports.reading import captures_in, form_at, logs_in, read_beside, read_logs
from detector.tables import SCHEMAS

CAPTURES = ("capture.pcap", "capture.pcapng")
FROM_CAPTURE = ("flows", "exchanges", "dns")
TRAFFIC = ("flows", "dns", "http")
EXPECTED = "a capture file (pcap, pcapng), logs of a known sensor, a recording, or its telemetry folder"
OUTSIDE = ("non_ip", "fragments", "short_frames", "dns_streams_cut")  # counts of the reader, see CaptureStats
_TIMES = ("time", "start", "end", "answered")


def load(path: Path, *, allow_partial: bool = False, progress: Progress | None = None) -> Telemetry:
    """The telemetry at a path; what it is decides its content, not its name.

    Where a folder holds a capture, that is the only origin of flows, exchanges and dns, and tables of these names are
    not read; their derivation is kept in ``derived/`` beside it. Raises EvidenceError for what is absent, cut, damaged
    or has other columns than SCHEMAS; with ``allow_partial`` the damaged part is left out and ``partial`` says why, but
    a folder without any sound traffic is refused all the same.
    """
    progress = progress or Progress()
    faults = Faults(allow_partial)
    if path.is_dir():
        return _logged(path, faults, progress) or _folder(_telemetry_folder(path, faults), faults, progress)
    if not path.is_file():
        raise EvidenceError(f"{path}: {'not a file' if path.exists() else 'not found'}, expected {EXPECTED}")
    form = form_at(path)
    if form is not None:
        return _imported({path: form}, faults, progress)
    return _capture(path, {}, faults, progress)


def _logged(folder: Path, faults: Faults, progress: Progress) -> Telemetry | None:
    """The telemetry of logs in a folder, or of its one capture with what stands beside it.

    None where it is a recording or a telemetry folder, or holds neither.
    """
    ours = ("recording.json", "telemetry", *CAPTURES, *(f"{name}.parquet" for name in SCHEMAS))
    if any((folder / name).exists() for name in ours):
        return None
    try:
        logs, captures = logs_in(folder), captures_in(folder)
    except OSError as fault:
        raise EvidenceError(f"{folder}: unreadable ({fault.strerror})") from fault
    if captures and all(form in BESIDE for form in logs.values()):
        if len(captures) > 1:
            names = ", ".join(path.name for path in captures)
            raise EvidenceError(f"{folder}: found {len(captures)} captures ({names}), expected one, so name one file")
        return _capture(captures[0], logs, faults, progress)
    if captures:
        found = ", ".join(path.name for path in (*captures, *(path for path in logs if logs[path] not in BESIDE)))
        raise EvidenceError(f"{folder}: found a capture and logs of a sensor ({found}), expected one, so name one file")
    return _imported(logs, faults, progress) if logs else None


def _capture(path: Path, logs: dict[Path, str], faults: Faults, progress: Progress) -> Telemetry:
    """The telemetry of a capture and of what stands beside it."""
    beside = read_beside(logs, faults, progress)
    derived = _derive(path, faults, progress)
    told = beside.told
    flows, packages = owned_flows(derived.tables["flows"], {}, derived.owners, told)
    tables = {**derived.tables, "flows": renamed(flows, beside.aside.known)}
    if packages is not None:
        tables["packages"] = packages
    tables |= beside.aside.tables_for(tables)
    telemetry = _telemetry(tables, derived, path, faults)
    return replace(telemetry, outside={**telemetry.outside, **beside.outside})


def _imported(logs: dict[Path, str], faults: Faults, progress: Progress) -> Telemetry:
    """The telemetry in logs of other sensors; EvidenceError where it holds no traffic."""
    found = read_logs(logs, faults, progress)
    if not any(found.tables[name].num_rows for name in TRAFFIC if name in found.tables):
        where = next(iter(logs)) if len(logs) == 1 else next(iter(logs)).parent
        told = "; ".join([*faults.texts, *(f"{count} {what}" for what, count in found.outside.items())]) or "no line"
        raise EvidenceError(f"{where}: found no traffic ({told}), expected connections, look-ups or requests")
    telemetry = _telemetry(found.tables, None, None, faults)
    return replace(telemetry, outside=found.outside)


def _telemetry_folder(path: Path, faults: Faults) -> Path:
    """The telemetry folder of a recording that says it is complete and has the files it lists; else the folder itself.

    Hashes are checked by whoever opens recordings; here only what would change a table unnoticed: absence, and size.
    """
    manifest = path / "recording.json"
    if not (manifest.exists() or (path / "telemetry").is_dir()):
        return path
    try:
        content = json.loads(manifest.read_bytes())
        listed = {name: int(entry["bytes"]) for name, entry in content["files"].items()}
        complete = content.get("complete") is True
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as fault:
        faults.tell(f"{manifest}: unreadable ({fault}), so the recording may be unfinished")
        return path / "telemetry"
    if not complete:
        faults.tell(f"{manifest}: found complete {content.get('complete')!r}, expected true")
    for name, size in listed.items():
        if not name.startswith("telemetry/"):
            continue
        file = path / name
        found = file.stat().st_size if file.is_file() else None
        if found != size:
            faults.tell(f"{file}: found {'nothing' if found is None else f'{found} bytes'}, expected {size} bytes")
    return path / "telemetry"


def _folder(folder: Path, faults: Faults, progress: Progress) -> Telemetry:
    capture = next((folder / name for name in CAPTURES if (folder / name).is_file()), None)
    read = [name for name in SCHEMAS if capture is None or name not in FROM_CAPTURE]
    given = {name: _table(folder / f"{name}.parquet", name, faults) for name in read}
    tables = {name: table for name, table in given.items() if table is not None}
    derived = None
    if capture is not None:
        derived = _cached(capture, faults, progress)
        flows, packages = owned_flows(derived.tables["flows"], tables, derived.owners)
        tables |= {**derived.tables, "flows": flows}
        if packages is not None:
            tables.setdefault("packages", packages)
    if not any(name in tables for name in TRAFFIC):
        why = f" ({'; '.join(faults.texts)})" if faults.texts else ""
        raise EvidenceError(f"{folder}: found no traffic{why}, expected {CAPTURES[0]} or one of {', '.join(TRAFFIC)}")
    return _telemetry(tables, derived, capture, faults)


def _telemetry(tables: dict[str, pa.Table], derived: Derived | None, capture: Path | None, faults: Faults) -> Telemetry:
    ordered = {name: tables[name] for name in SCHEMAS if name in tables}
    return Telemetry(
        tables=ordered,
        span=_span(ordered, derived),
        capture=capture,
        packets=None if derived is None else derived.packets,
        partial="; ".join(faults.texts) or None,
        outside={} if derived is None else derived.outside,
    )


def _span(tables: dict[str, pa.Table], derived: Derived | None) -> tuple[int, int]:
    """First and last time of the capture and of all tables; (0, 0) where nothing has a time."""
    known = [] if derived is None else [time for time in (derived.first, derived.last) if time is not None]
    for table in tables.values():
        for name in _TIMES:
            if name in table.column_names and table.num_rows:
                ends: Any = pc.min_max(table[name]).as_py()
                known += [time for time in ends.values() if time is not None]
    return (min(known), max(known)) if known else (0, 0)


def _cached(capture: Path, faults: Faults, progress: Progress) -> Derived:
    """The tables of a recording's capture, from the cache where it fits; what is partial is never cached."""
    try:
        key = cache_key(capture)
    except OSError as fault:
        raise EvidenceError(f"{capture}: unreadable ({fault.strerror})") from fault
    kept = read_cache(capture.parent / "derived", key)
    if kept is not None:
        return kept
    before = len(faults.texts)
    derived = _derive(capture, faults, progress)
    if len(faults.texts) == before and derived.owners is None:
        write_cache(capture.parent / "derived", key, derived)
    return derived


def _derive(capture: Path, faults: Faults, progress: Progress) -> Derived:
    from detector.capture import read_capture

    try:
        found = read_capture(capture, allow_partial=faults.allow_partial, progress=progress)
    except OSError as fault:
        raise EvidenceError(f"{capture}: unreadable ({fault.strerror})") from fault
    if found.stats.partial:
        faults.tell(f"{capture}: {found.stats.partial}")
    tables = {"flows": found.flows, "exchanges": found.exchanges, "dns": found.dns}
    outside = {name: getattr(found.stats, name) for name in OUTSIDE}
    return Derived(tables, found.stats.packets, found.stats.first, found.stats.last, outside, found.owners)


def _table(path: Path, name: str, faults: Faults) -> pa.Table | None:
    """The table in a file, with exactly the columns of its schema; None where there is none, or it is left out."""
    if not path.is_file():
        return None
    try:
        table = pq.read_table(path, partitioning=None)
    except (OSError, pa.ArrowException) as fault:
        faults.tell(f"{path}: no readable Parquet ({str(fault).splitlines()[0]})")
        return None
    wrong = next(_wrong_columns(table, SCHEMAS[name]), None)
    if wrong is None:
        return table.select(SCHEMAS[name].names).cast(SCHEMAS[name])
    faults.tell(f"{path}: column {wrong}")
    return None


def _wrong_columns(table: pa.Table, schema: pa.Schema) -> Iterator[str]:
    for field in schema:
        count = table.column_names.count(field.name)
        if count != 1:
            yield f"'{field.name}': found {count or 'none'}, expected one of type {field.type}"
        elif not _fits(table[field.name].type, field.type):
            yield f"'{field.name}': found type {table[field.name].type}, expected {field.type}"
    for name in table.column_names:
        if name not in schema.names:
            yield f"'{name}': unknown, expected only {', '.join(schema.names)}"


def _fits(found: pa.DataType, expected: pa.DataType) -> bool:
    """Whether a stored type is the expected one in another spelling: large or dictionary text, a list's item name."""
    if pa.types.is_dictionary(found):
        found = found.value_type
    if pa.types.is_list(found) and pa.types.is_list(expected):
        return _fits(found.value_type, expected.value_type)
    return bool(found == expected or (pa.types.is_large_string(found) and pa.types.is_string(expected)))
