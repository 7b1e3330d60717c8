"""A capture's flows with whatever tells whose they are: socket events, PCAPdroid's own marks, its CSV, an inventory.

Of two that tell of apps the nearer to the phone's sockets is taken: socket events, then marks in the capture, then the
CSV. Nothing here reads a file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from detector.attribution import attribute
from detector.phone import phone_packages, phone_sockets

if TYPE_CHECKING:
    from detector.capture import Owners
    from detector.imports.locality import Known
    from detector.imports.sessions import Told

#: Forms of logs that may stand beside a capture: they tell of its devices and apps.
BESIDE = ("pcapdroid-csv", "inventory", "bugreport")


def owned_flows(
    flows: pa.Table, tables: dict[str, pa.Table], owners: Owners | None, told: Told | None = None
) -> tuple[pa.Table, pa.Table | None]:
    """The flows with device, uid and package, and the packages that PCAPdroid described (None: none, or not needed).

    ``tables`` may hold sockets and packages; ``told`` is what PCAPdroid's CSV tells.
    """
    sockets, packages = tables.get("sockets"), tables.get("packages")
    described = None
    if sockets is None and owners is not None:
        sockets = phone_sockets(flows, owners.flows)
        described = phone_packages(sockets, owners.apps)
    elif sockets is None and told is not None and told.flows is not None:
        numbered = told.flows.append_column("flow", told.flows["key"])
        sockets = phone_sockets(numbered, numbered.select(["flow", "uid"]))
        described = phone_packages(sockets, _apps(told.flows))
    return attribute(flows, sockets, described if packages is None else packages), described


def _apps(flows: pa.Table) -> dict[int, tuple[str | None, str | None]]:
    """The package of each uid; of a uid that several share, none."""
    found: dict[int, tuple[str | None, str | None]] = {}
    pairs = pa.table({"uid": flows["uid"], "package": flows["package"]}).group_by(["uid", "package"]).aggregate([])
    for row in pairs.to_pylist():
        if row["uid"] is not None and row["package"]:
            found[row["uid"]] = (None if row["uid"] in found else row["package"], None)
    return found


def renamed(flows: pa.Table, known: Known) -> pa.Table:
    """The flows with the names that an inventory has for addresses, and its packages."""
    device = flows["device"]
    if known.devices:
        place = pc.index_in(device, value_set=pa.array(list(known.devices), pa.string()))
        device = pc.coalesce(pa.array(list(known.devices.values()), pa.string()).take(place), device)
    pairs = pa.table({"device": device, "uid": flows["uid"]})
    package = flows["package"]
    if known.packages:
        listed = [known.packages.get((row["device"], row["uid"])) for row in pairs.to_pylist()]
        package = pc.coalesce(pa.chunked_array([listed], pa.string()), package)
    for name, column in (("device", device), ("package", package)):
        flows = flows.set_column(flows.schema.get_field_index(name), name, column)
    return flows
