"""Logs read and put together: one file or a folder of them, as telemetry tables with an account of every line.

A folder may hold many files of one kind of sensor (Zeek's logs, rotated or not; several EVE files) and beside them an
inventory and bug reports. Two sensors that may have seen the same traffic are refused: their flows would count twice.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

import pyarrow as pa

from detector.contract import EvidenceError, Progress
from detector.imports import form as forms
from detector.imports import zeek
from detector.imports.account import Account, Faults
from detector.imports.aside import Aside, read_aside
from detector.imports.form import form_of, is_capture
from detector.imports.moments import microseconds
from detector.imports.opened import Opened, head_of, open_log
from detector.imports.sessions import Told, tables
from detector.imports.undated import dated
from detector.imports.zeek_json import read_json
from detector.imports.zeek_text import read_text

#: The module of this package that reads each form but Zeek's: ``read(log, account, faults) -> Told``.
READERS = {
    forms.EVE: "eve",
    forms.PCAPDROID: "pcapdroid_csv",
    forms.NETFLOW_CSV: "netflow_csv",
    forms.NETFLOW_JSON: "netflow_json",
    forms.HAR: "har",
    forms.BIND: "bind_queries",
}
#: Names of the folders in which Zeek keeps the logs of a day each.
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_SENSORS = {forms.ZEEK_JSON: "zeek", forms.ZEEK_TSV: "zeek"}


@dataclass(frozen=True)
class Imported:
    """Telemetry tables, and what became of every line of every file."""

    tables: dict[str, pa.Table]
    accounts: tuple[Account, ...]

    @property
    def outside(self) -> dict[str, int]:
        """Lines that were read and are in no table, by reason; remarks are none."""
        out: dict[str, int] = {}
        for one in self.accounts:
            for reason, count in one.left.items():
                if reason != "remarks":
                    out[reason] = out.get(reason, 0) + count
        return out


def form_at(path: Path) -> str | None:
    """The form of the log in a file; None for a capture and for what is not known."""
    return form_of(head_of(path))


def logs_in(folder: Path) -> dict[Path, str]:
    """The logs of a folder, and of its days where it has none of its own, each with its form."""
    found = _logs([folder])
    if any(form not in forms.ASIDE for form in found.values()):
        return found
    days = sorted(path for path in folder.iterdir() if path.is_dir() and _DAY.fullmatch(path.name))
    return {**found, **_logs(days)}


def captures_in(folder: Path) -> list[Path]:
    """The pcap and pcapng files of a folder."""
    files = [path for path in sorted(folder.iterdir()) if path.is_file() and not path.name.startswith(".")]
    return [path for path in files if is_capture(head_of(path))]


def _logs(folders: Sequence[Path]) -> dict[Path, str]:
    files = [path for folder in folders for path in sorted(folder.iterdir()) if path.is_file()]
    known = {path: form_at(path) for path in files if not path.name.startswith(".")}
    return {path: form for path, form in known.items() if form}


def read_logs(logs: Mapping[Path, str], faults: Faults, progress: Progress) -> Imported:
    """The tables of these files, given with their forms; EvidenceError as Faults has it, or for two kinds of sensor."""
    _refuse_two_sensors(logs)
    read = _Reading(faults, progress, sum(path.stat().st_size for path in logs))
    for path, form in logs.items():
        read.add(path, form)
    return read.finished()


@dataclass(frozen=True)
class Beside:
    """What stands beside a capture: connections the phone told of (None: no such file), inventories, bug reports."""

    told: Told | None
    aside: Aside
    outside: dict[str, int]


def read_beside(logs: Mapping[Path, str], faults: Faults, progress: Progress) -> Beside:
    """The same for files that only tell of a capture's devices and apps: PCAPdroid's CSV, inventories, bug reports."""
    read = _Reading(faults, progress, sum(path.stat().st_size for path in logs))
    for path, form in logs.items():
        read.add(path, form)
    told = _together(read.told) if read.told else None
    return Beside(told, Aside.together(read.asides), Imported({}, tuple(read.accounts)).outside)


@dataclass
class _Reading:
    """Files read so far."""

    faults: Faults
    progress: Progress
    total: int
    done: int = 0
    accounts: list[Account] = field(default_factory=list)
    zeek: list[zeek.Read] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    asides: list[Aside] = field(default_factory=list)

    def add(self, path: Path, form: str) -> None:
        """One more file."""
        log, account = open_log(path), Account(path, form)
        self.accounts.append(account)
        if log.cut is not None:
            self.faults.add(f"{path}, after line {log.lines_before(len(log.data))}", *log.cut)
        if form in _SENSORS:
            reader = read_text if form == forms.ZEEK_TSV else read_json
            for kind, table in reader(log, account, self.faults):
                lines = dated(table, microseconds(table["ts"]), table["ts"], account, self.faults)
                self.zeek.append(zeek.Read(kind, lines, account))
        elif form in forms.ASIDE:
            self.asides.append(read_aside(log, form, account, self.faults))
        else:
            self.told.append(_reader(form)(log, account, self.faults))
        self.done += path.stat().st_size
        self.progress.advance(self.done, self.total)

    def finished(self) -> Imported:
        """All of it as tables."""
        if self.zeek:
            self.told.append(zeek.told(self.zeek))
        aside = Aside.together(self.asides)
        made = tables(_together(self.told), aside.known) if self.told else {}
        return Imported({**made, **aside.tables_for(made)}, tuple(self.accounts))


def _reader(form: str) -> Callable[[Opened, Account, Faults], Told]:
    read: Callable[[Opened, Account, Faults], Told] = import_module(f"detector.imports.{READERS[form]}").read
    return read


def _refuse_two_sensors(logs: Mapping[Path, str]) -> None:
    sensors: dict[str, Path] = {}
    for path, form in logs.items():
        if form not in forms.ASIDE:
            sensors.setdefault(_SENSORS.get(form, form), path)
    if len(sensors) > 1:
        found = ", ".join(f"{path.name} ({sensor})" for sensor, path in sensors.items())
        folder = next(iter(sensors.values())).parent
        raise EvidenceError(f"{folder}: found logs of several sensors: {found}; expected one kind, so name one file")


def _together(told: Sequence[Told]) -> Told:
    """Several files of one sensor as one; keys of flows stay apart."""
    if len(told) == 1:
        return told[0]
    flows: list[pa.Table] = []
    others: dict[str, list[pa.Table]] = {}
    above = 0
    for one in told:
        if one.flows is not None and one.flows.num_rows:
            flows.append(_shifted(one.flows, "key", above))
        for name, table in one.others.items():
            others.setdefault(name, []).append(_shifted(table, "flow", above))
        above += (one.flows.num_rows if one.flows is not None else 0) + 1
    joined = {name: pa.concat_tables(parts, promote_options="permissive") for name, parts in others.items()}
    return Told(pa.concat_tables(flows, promote_options="permissive") if flows else None, joined)


def _shifted(table: pa.Table, name: str, above: int) -> pa.Table:
    import pyarrow.compute as pc

    if name not in table.column_names or not above:
        return table
    return table.set_column(table.schema.get_field_index(name), name, pc.add(table[name], above))
