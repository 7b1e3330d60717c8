"""An inventory as an MDM exports it: CSV with a row for each app of each device, as the packages table.

Columns are known by name, in any order and case, with - and spaces for _; NAMES lists what each may be called. Only
``package`` must be there. ``roles`` are kept apart by ; or |. A row with an address says whose address it is.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from detector.addresses import canonical
from detector.imports.account import Account, Faults
from detector.imports.opened import Opened
from detector.tables import SCHEMAS

if TYPE_CHECKING:
    from detector.imports.aside import Aside

NAMES = {
    "device": ("device", "device_id", "deviceid", "device_name", "serial", "serial_number"),
    "address": ("address", "ip", "ip_address", "ipaddress"),
    "uid": ("uid", "app_uid", "linux_uid"),
    "package": ("package", "package_name", "packagename", "application_id", "applicationid"),
    "label": ("label", "name", "app_name", "appname", "application_name"),
    "category": ("category", "app_category"),
    "sanctioned": ("sanctioned", "approved", "managed", "allowed"),
    "roles": ("roles", "role"),
}
_YES, _NO = ("true", "yes", "1", "y", "t"), ("false", "no", "0", "n", "f")


def read_inventory(log: Opened, account: Account, faults: Faults) -> Aside:
    """The apps and addresses of an inventory; a row that cannot be read is a fault with its line."""
    from detector.imports.aside import Aside

    text = bytes(log.data).decode("utf-8-sig", "replace")
    first = text.split("\n", 1)[0]
    rows = csv.reader(io.StringIO(text), delimiter=";" if first.count(";") > first.count(",") else ",")
    head = [name.strip().lower().replace(" ", "_").replace("-", "_") for name in next(rows)]
    place = {ours: next((head.index(name) for name in theirs if name in head), None) for ours, theirs in NAMES.items()}
    account.lines, found, addresses = 1, [], {}
    account.leave("remarks", 1)
    wrong: list[tuple[int, str, str]] = []
    for row in _each(rows):
        if isinstance(row, csv.Error):
            account.lines += 1
            wrong.append((rows.line_num, str(row), "fields of an inventory"))
            continue
        if not any(row):
            continue
        account.lines += 1
        told = {ours: row[k].strip() or None for ours, k in place.items() if k is not None and k < len(row)}
        try:
            found.append(_app(told, len(row), len(head)))
        except ValueError as fault:
            wrong.append((rows.line_num, *fault.args))
            continue
        if told.get("address"):
            addresses[canonical(str(told["address"]))] = str(found[-1]["device"])
    account.row("packages", len(found))
    account.leave("unreadable", len(wrong))
    if wrong:
        faults.many(str(log.path), wrong[0], len(wrong))
    return Aside({"packages": pa.Table.from_pylist(found, SCHEMAS["packages"])}, addresses)


def _each(rows: Iterator[list[str]]) -> Iterator[list[str] | csv.Error]:
    """The rows, and in place of one that is no CSV, why."""
    while True:
        try:
            yield next(rows)
        except csv.Error as fault:
            yield fault
        except StopIteration:
            return


def _app(told: dict[str, str | None], columns: int, expected: int) -> dict[str, Any]:
    """A row of the packages table; ValueError(found, expected)."""
    if columns != expected:
        raise ValueError(f"{columns} columns", str(expected))
    uid, sanctioned = told.get("uid"), (told.get("sanctioned") or "").lower()
    if uid is not None and not (uid.isascii() and uid.isdigit() and len(uid) < 10):
        raise ValueError(f"uid {uid[:40]!r}", "a number")
    if sanctioned and sanctioned not in (*_YES, *_NO):
        raise ValueError(f"sanctioned {sanctioned[:40]!r}", "true or false")
    if not told.get("package"):
        raise ValueError("no package", "a package name")
    roles = (told.get("roles") or "").replace("|", ";").split(";")
    return {
        "device": told.get("device") or told.get("address"),
        "uid": None if uid is None else int(uid),
        **{name: told.get(name) for name in ("package", "label", "category")},
        "sanctioned": sanctioned in _YES if sanctioned else None,
        "roles": [role.strip().lower() for role in roles if role.strip()],
    }
