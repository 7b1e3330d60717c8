"""What stands beside traffic and tells of devices: inventories and bug reports, put together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from detector.imports.account import Account, Faults
from detector.imports.form import INVENTORY
from detector.imports.locality import Known
from detector.imports.opened import Opened
from detector.tables import SCHEMAS


@dataclass(frozen=True)
class Aside:
    """Tables of SCHEMAS (packages, device_state) and the devices of addresses.

    A device that a bug report does not name is None in its rows, and takes the name of the only device of the traffic.
    """

    tables: dict[str, pa.Table] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)

    @property
    def known(self) -> Known:
        """What this says of addresses and apps."""
        packages: dict[tuple[str, int], str] = {}
        for row in self.tables["packages"].to_pylist() if "packages" in self.tables else []:
            key = (row["device"], row["uid"])
            if row["uid"] is not None and row["package"]:
                packages[key] = "" if key in packages else row["package"]  # several packages share the uid
        return Known(self.addresses, {key: name for key, name in packages.items() if name})

    @classmethod
    def together(cls, several: Sequence[Aside]) -> Aside:
        """Several as one."""
        names = {name for one in several for name in one.tables}
        tables = {name: pa.concat_tables([one.tables[name] for one in several if name in one.tables]) for name in names}
        return cls(tables, {address: device for one in several for address, device in one.addresses.items()})

    def tables_for(self, traffic: dict[str, pa.Table]) -> dict[str, pa.Table]:
        """The tables; rows without a device are the only device's of the traffic, and go where it has several."""
        devices = traffic["flows"]["device"].unique().to_pylist() if "flows" in traffic else []
        only = devices[0] if len(devices) == 1 else None
        out = {}
        for name, table in self.tables.items():
            named = table["device"].fill_null(only) if only else table["device"]
            whose = table.set_column(table.schema.get_field_index("device"), "device", named)
            out[name] = whose.filter(whose["device"].is_valid()).cast(SCHEMAS[name])
        return {name: table for name, table in out.items() if table.num_rows}


def read_aside(log: Opened, form: str, account: Account, faults: Faults) -> Aside:
    """One inventory or bug report."""
    if form == INVENTORY:
        from detector.imports.inventory_csv import read_inventory

        return read_inventory(log, account, faults)
    from detector.imports.bugreport import read_report

    return read_report(log, account)
