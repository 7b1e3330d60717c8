"""The columns that a rule's result must have, checked by type before it is run, and a row of them as a finding.

Pure. Times are microseconds since the epoch or TIMESTAMP. A column that is none of ours is evidence: it becomes a
reason of the finding, under its own name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

import pyarrow as pa

from detector.contract import rfc3339

TEXT, WHOLE, TIME, NUMBER, TRUTH = "text", "a whole number", "a time", "a number", "true or false"
REQUIRED: Mapping[str, str] = {
    "device": TEXT,
    "uid": WHOLE,
    "package": TEXT,
    "peer": TEXT,
    "first_seen": TIME,
    "last_seen": TIME,
    "decided_at": TIME,
    "score": NUMBER,
    "alert": TRUTH,
}
OPTIONAL: Mapping[str, str] = {"severity": TEXT, "text": TEXT}
TIMES = tuple(name for name, kind in REQUIRED.items() if kind == TIME)
#: How each kind is spelled in a statement, for whoever has to mend one.
SPELLED: Mapping[str, str] = {
    TEXT: "VARCHAR",
    WHOLE: "BIGINT",
    TIME: "BIGINT in microseconds since the epoch, or TIMESTAMP",
    NUMBER: "DOUBLE",
    TRUTH: "BOOLEAN",
}
_WHOLE = re.compile(r"U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)")
_NUMBER = re.compile(r"FLOAT|DOUBLE|DECIMAL\(.*\)")
_TIME = re.compile(r"TIMESTAMP(_S|_MS|_NS| WITH TIME ZONE)?")
_TEXT = re.compile(r"VARCHAR|ENUM\(.*\)")
NOTHING = '"NULL"'  # the type of NULL itself


def column_faults(described: Sequence[tuple[str, str]], measure: str | None) -> Iterator[str]:
    """What is wrong with the columns (name, DuckDB type) of a result, a sentence each."""
    names = [name for name, _ in described]
    wanted = {**REQUIRED, **({measure: NUMBER} if measure else {})}
    for name, kind in wanted.items():
        if name not in names:
            near = get_close_matches(name, [one for one in names if one not in REQUIRED], n=1)
            hint = f"; is it '{near[0]}'?" if near else ""
            why = ", the highest setting of the knob at which the row is an alert" if name == measure else ""
            yield f"found no column '{name}', expected one of type {SPELLED[kind]}{why}{hint}"
    for name in dict.fromkeys(one for one in names if names.count(one) > 1):
        yield f"found {names.count(name)} columns '{name}', expected one"
    for name, found in described:
        expected = wanted.get(name) or OPTIONAL.get(name)
        if expected and not _fits(found, expected):
            yield f"column '{name}': found type {found}, expected {SPELLED[expected]}"
        elif not expected and not any(_fits(found, kind) for kind in (TEXT, NUMBER, TRUTH, TIME)):
            yield f"column '{name}': found type {found}, expected a number or text: it becomes a reason of the finding"


def _fits(found: str, kind: str) -> bool:
    if found == NOTHING:
        return True
    whole = _WHOLE.fullmatch(found) is not None
    return {
        TEXT: _TEXT.fullmatch(found) is not None,
        WHOLE: whole,
        TIME: whole or _TIME.fullmatch(found) is not None,
        NUMBER: whole or _NUMBER.fullmatch(found) is not None,
        TRUTH: found == "BOOLEAN",
    }[kind]


def rows(batch: pa.RecordBatch) -> Iterator[dict[str, Any]]:
    """The rows of a result; what is a TIMESTAMP is a number of microseconds."""
    plain = {}
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        timed = pa.types.is_timestamp(column.type)
        plain[name] = column.cast(pa.timestamp("us"), safe=False).cast(pa.int64()) if timed else column
    yield from pa.table(plain).to_pylist()


def finding_row(row: Mapping[str, Any], rule: str, analytic: str, measure: str | None) -> dict[str, Any]:
    """A row as an object of findings.jsonl, without who signs it; what a value must be is checked by who takes it."""
    made = {name: _plain(row[name]) for name in REQUIRED}
    made |= {name: _moment(made[name]) for name in TIMES}
    alert = made["alert"] is True
    severity = _plain(row.get("severity")) or ("medium" if alert else "informational")
    text = _plain(row.get("text")) or f"the rule {rule} {'fires' if alert else 'nearly fires'}"
    first = _reason("rule", rule, "no match", made["score"], text)
    more = [
        _reason(name, _plain(value), "", 0.0, f"{name}: {_plain(value)}")
        for name, value in row.items()
        if name not in REQUIRED and name not in OPTIONAL and name != measure
    ]
    if measure:
        value = _plain(row[measure])
        more.append(_reason(measure, value, "below the knob's setting", 0.0, f"{measure}: {value}"))
    return {**made, "analytic": analytic, "severity": severity, "reasons": [first, *more]}


def _reason(feature: str, value: Any, expected: str, weight: Any, text: str) -> dict[str, Any]:
    return {"feature": feature, "value": value, "expected": expected, "weight": weight, "text": text}


def _plain(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, bool):
        return value
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value.isoformat() if isinstance(value, datetime) else value


def _moment(value: Any) -> Any:
    try:
        return rfc3339(value)
    except (TypeError, ValueError, OverflowError, OSError):
        return value  # told as it is, with what was expected, by who takes it
