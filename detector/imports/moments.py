"""Times of other sensors as microseconds since the epoch, UTC."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

EARLIEST_US, LATEST_US = -62_135_596_800_000_000, 253_402_300_799_999_999  # what RFC 3339 can write
_MS_FROM = 1e11  # seconds of the year 5138: a greater number counts milliseconds
_OFFSET = r"^(?P<local>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?)(?P<zone>[zZ]|[+-]\d\d:?\d\d)?$"


def microseconds(seconds: Any) -> pa.Array:
    """Seconds, or milliseconds where they are too many, as int64 microseconds; null for null and what is no date.

    >>> microseconds(pa.chunked_array([[1.5, None, 1588205199824.0]])).to_pylist()
    [1500000, None, 1588205199824000]
    """
    values = np.asarray(seconds.cast(pa.float64()).fill_null(np.nan).to_numpy(), np.float64)
    scale = np.where(np.abs(values) > _MS_FROM, 1e3, 1e6)
    with np.errstate(invalid="ignore", over="ignore"):
        counted = np.rint(values * scale)
        known = np.isfinite(counted) & (counted >= EARLIEST_US) & (counted <= LATEST_US)
    return pa.array(np.where(known, counted, 0).astype(np.int64), mask=~known)


def seconds_of(column: Any) -> Any:
    """A column of seconds as it is, one of texts (ISO 8601) in seconds."""
    if column.type != pa.string():
        return column
    return pa.chunked_array([pc.divide(iso8601(column).cast(pa.float64()), 1e6)], pa.float64())


def iso8601(column: Any, zone_us: int = 0) -> pa.Array:
    """Texts such as 2026-03-02T00:00:00.000001+0100 as int64 microseconds; null for null and what is none.

    Without an offset they count from ``zone_us`` microseconds east of Greenwich.

    >>> iso8601(pa.chunked_array([["1970-01-01T01:00:00.5+0100", "1970-01-01 00:00:01", "x", None]])).to_pylist()
    [500000, 1000000, None, None]
    """
    texts = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    texts = pa.concat_arrays(texts.chunks) if isinstance(texts, pa.ChunkedArray) else texts
    for zone in ("UTC", None):  # all of them with an offset, or none, by Arrow itself
        try:
            times = texts.cast(pa.timestamp("us", zone)).cast(pa.int64())
        except pa.ArrowInvalid:
            continue
        return times if zone else pc.subtract(times, zone_us)
    return _by_parts(texts, zone_us)


def _by_parts(texts: Any, zone_us: int) -> pa.Array:
    """The same for texts of any kind."""
    parts = pc.extract_regex(texts, pattern=_OFFSET)
    local = pc.replace_substring(pc.struct_field(parts, "local"), ",", ".")
    whole = pc.strptime(pc.utf8_slice_codeunits(local, 0, 10), format="%Y-%m-%d", unit="us", error_is_null=True)
    day = whole.cast(pa.int64())
    clock = [pc.utf8_slice_codeunits(local, at, at + 2).cast(pa.int64()) for at in (11, 14, 17)]
    rest = pc.utf8_slice_codeunits(pc.utf8_rpad(pc.utf8_slice_codeunits(local, 20, 26), 6, "0"), 0, 6).cast(pa.int64())
    seconds = pc.add(pc.multiply(clock[0], 3600), pc.add(pc.multiply(clock[1], 60), clock[2]))
    return pc.subtract(pc.add(pc.add(day, pc.multiply(seconds, 1_000_000)), rest), _zone(parts, zone_us))


def _zone(parts: Any, zone_us: int) -> Any:
    """Microseconds east of Greenwich of each."""
    names = pc.struct_field(parts, "zone")
    kinds = pc.unique(names).to_pylist()
    east = [_east(name, zone_us) for name in kinds]
    return pa.array(east, pa.int64()).take(pc.index_in(names, pa.array(kinds, pa.string())))


def _east(name: str | None, zone_us: int) -> int:
    if not name:
        return zone_us
    if name in "zZ":
        return 0
    digits = name[1:].replace(":", "")
    minutes = int(digits[:2]) * 60 + int(digits[2:])
    return (-1 if name[0] == "-" else 1) * minutes * 60_000_000
