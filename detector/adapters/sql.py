"""A SQL query over the telemetry tables: ``sql:FILE``, run by DuckDB in a locked process without files or network.

Header lines of the file (detector/sql/header.py) name its analytic, a knob that droidrange tune can set, and numbers;
``sql:FILE?NAME=VALUE`` sets one of these for once. Its rows are findings (detector/sql/columns.py). What raises it
wrongly is the author's to know: the version of the detector is a hash of the file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from detector.contract import Configuration, Detector, Finding, Knob, Origin, Telemetry, Unsupported
from detector.fenced import Limits
from detector.rule_analytic import split_argument
from detector.rule_settings import settings_of
from detector.signature import Signature
from detector.sql.asked import LIMITS, READING, asked, checked
from detector.sql.header import Header, Number, header, with_value
from detector.sql.query import Query

ARGUMENT = "FILE"
LONGEST = 1 << 20  # bytes of a file


@dataclass
class Sql:
    """One SQL file as a detector of one analytic."""

    name: str
    version: str  # a hash of the file and of what the argument sets
    needs: tuple[str, ...]  # the tables that the statement reads
    text: str
    header: Header
    settings: Mapping[str, Number]
    query: Query
    limits: Limits = field(default=LIMITS)

    def judges(self, telemetry: Telemetry) -> tuple[str, ...]:
        """The file's analytic, where there are all tables it reads and every column it needs has a value somewhere."""
        return () if self._lacks(telemetry) else (self.header.analytic,)

    def detect(self, telemetry: Telemetry) -> Iterator[Finding]:
        """A finding per row of the result; Unsupported where a table or needed column is missing, Failed as asked."""
        if lacks := self._lacks(telemetry):
            raise Unsupported(f"{self.name} needs {lacks}; this telemetry (view {telemetry.view}) has none")
        by = Signature(self.name, self.version, partial=telemetry.partial is not None)
        yield from asked([self.query], telemetry, by, self.limits)

    @property
    def knobs(self) -> tuple[Knob, ...]:
        """The knob that the file declares, if any."""
        return (self.header.knob,) if self.header.knob else ()

    def deciding(self, finding: Finding) -> float | None:
        """The row's value in the column of the knob's name."""
        for reason in finding.reasons:
            if reason.feature == self.query.measure and isinstance(reason.value, int | float):
                return float(reason.value)
        return None

    def tuned(self, values: Mapping[str, float], origin: Origin) -> Configuration:
        """The file with its knob set anew, and with what the argument set."""
        text = self.text
        for name, value in self.settings.items():
            text = with_value(text, name, value, "")
        note = f"tuned {origin.date}: {origin.split}; at {origin.budget:g} false alarms per device-day"
        for name, value in values.items():
            text = with_value(text, name, value, note)
        return Configuration("sql", content=text, suffix=".sql")

    def _lacks(self, telemetry: Telemetry) -> str:
        """What of the needed things is not there; nothing is, where a table has no rows at all."""
        for name in self.needs:
            if name not in telemetry:
                return f"the table {name}"
        for name, column in self.header.needs:
            if name not in telemetry:
                return f"the table {name}"
            table = telemetry[name]
            if len(table) and table[column].null_count == len(table):
                return f"{name}.{column}"
        return ""


def create(argument: str) -> Detector:
    """The query of a file; LookupError, with the place and what was expected, for a file that is no such query."""
    where, given = split_argument(argument)
    place, settings = settings_of(where)
    if not place:
        raise LookupError("detector sql: found no file, expected sql:FILE, for example sql:examples/interval.sql")
    path = Path(place)
    text = _read(path)
    said = header(text, place, given)
    try:
        said = said.with_settings(settings)
    except LookupError as fault:
        raise LookupError(f"detector sql: {place}: {fault}") from None
    measure = said.knob.name if said.knob else None
    query = checked([Query(path.stem, text, said.analytic, said.parameters, measure)], place, READING)[0]
    return Sql(f"sql:{argument}", _version(text, said), query.tables, text, said, settings, query)


def _version(text: str, said: Header) -> str:
    whole = f"{text}\0{sorted(said.parameters.items())}\0{said.analytic}"
    return hashlib.sha256(whole.encode()).hexdigest()[:12]


def _read(path: Path) -> str:
    """The text of a rule file; LookupError for what is none."""
    try:
        if path.is_file() and path.stat().st_size > LONGEST:
            raise LookupError(f"{path}: found {path.stat().st_size:,} bytes, expected a query of at most {LONGEST:,}")
        return path.read_text("utf-8")
    except FileNotFoundError:
        raise LookupError(f"{path}: not found, expected a SQL file, for example examples/interval.sql") from None
    except IsADirectoryError:
        raise LookupError(f"{path}: found a folder, expected one SQL file; give --detector once for each") from None
    except (OSError, UnicodeDecodeError) as fault:
        raise LookupError(f"{path}: unreadable ({fault}), expected a SQL file in UTF-8") from None
