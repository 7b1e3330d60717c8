"""What is installed: category, approval and roles of an app, from the packages table."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import pyarrow as pa

from detector.contract import Reason


@dataclass(frozen=True)
class Installed:
    """One app on one device as the inventory knows it."""

    package: str | None
    category: str | None
    sanctioned: bool
    roles: frozenset[str]

    def allowed(self, packages: Collection[str], roles: Collection[str]) -> str | None:
        """Why the app is allow-listed by package or role, as a phrase; None if it is not."""
        if self.package in packages:
            return f"{self.package} is in AllowedAppList"
        shared = sorted(self.roles.intersection(roles))
        return f"the inventory gives it the role {shared[0]}" if shared else None


def allowance(why: str, relief: float, *, alert: bool = False) -> Reason:
    """The reason that stands in a finding about something allowed: told, taken down by ``relief``; seldom an alert."""
    text = (
        "the score was taken down, and was enough all the same"
        if alert
        else "informational only, the score was taken down"
    )
    return Reason("allowed", 1.0, "absent", relief, f"{text}: {why}")


NOBODY = Installed(package=None, category=None, sanctioned=False, roles=frozenset())


@dataclass(frozen=True)
class Inventory:
    """Installed apps by (device, uid) and by (device, package)."""

    apps: Mapping[tuple[str, int | str], Installed]

    def find(self, device: str, uid: int | None, package: str | None) -> Installed | None:
        """The app of that device by uid or else package; None where the inventory does not know it."""
        for key in (uid, package):
            if key is not None and (device, key) in self.apps:
                return self.apps[device, key]
        return None


def read_inventory(table: pa.Table | None) -> Inventory:
    """The inventory in a packages table; empty without one.

    >>> read_inventory(None).find("phone", 10001, None) is None
    True
    """
    apps: dict[tuple[str, int | str], Installed] = {}
    for row in [] if table is None else table.to_pylist():
        category = row["category"].lower() if row["category"] else None
        app = Installed(row["package"], category, bool(row["sanctioned"]), frozenset(row["roles"] or ()))
        for key in (row["uid"], row["package"]):
            if key is not None:
                apps.setdefault((row["device"], key), app)
    return Inventory(apps)
