"""Flows told by another sensor, put into our columns: what it does not say is null, and names come last.

``Told`` is what every form of log is first turned into; ``tables`` makes telemetry tables of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from detector.addresses import canonical_column
from detector.columns import stable_order
from detector.derived import DERIVED
from detector.imports.answers import names_by_answer
from detector.imports.continued import continued, rejoined
from detector.imports.locality import Known, owned

_EXTRA = ("local_client", "local_server", "uid", "package", "device")


@dataclass(frozen=True)
class Told:
    """One sensor's tables.

    ``flows`` has any columns of the flows table, ``key`` (int64, joins the others), and may have ``local_client``,
    ``local_server`` (the sensor says that this end is its own), ``opened`` (see continued.py), ``uid``, ``package``,
    ``device``. ``others`` are tables of our schemas whose ``flow`` is that key (null: no flow of the sensor).
    """

    flows: pa.Table | None
    others: Mapping[str, pa.Table] = field(default_factory=dict)


def tables(told: Told, known: Known) -> dict[str, pa.Table]:
    """The telemetry tables: flows numbered by start, one row per monitored device at an end."""
    others = {name: _spelled(table) for name, table in told.others.items() if table.num_rows}  # empty: perhaps unseen
    dns = others.get("dns")
    if told.flows is None:
        return {name: _unjoined(name, table) for name, table in others.items()}
    flows = _spelled(told.flows)
    whole_flows, became = continued(flows) if "opened" in flows.column_names else (flows, {})
    order = pa.array(stable_order(np.asarray(whole_flows["start"].fill_null(0).to_numpy(), np.int64)))
    flows = whole_flows.take(order)
    keys = flows["key"].combine_chunks()
    plain = _plain(flows)
    if dns is not None:
        plain = _named(plain, dns)
    rest = {name: flows[name] for name in _EXTRA if name in flows.column_names}
    out = {"flows": owned(plain, rest, known)}
    for name, table in others.items():
        out[name] = _joined(name, rejoined(table, became), keys) if "flow" in table.column_names else table
    return out


def _spelled(table: pa.Table) -> pa.Table:
    """The table with one spelling of the addresses of both ends."""
    for place, name in enumerate(table.column_names):
        if name in ("client", "server"):
            table = table.set_column(place, name, canonical_column(table[name]))
    return table


def _plain(flows: pa.Table) -> pa.Table:
    """Exactly the columns of a flows table that is nobody's yet; null where the sensor is silent."""
    count = flows.num_rows
    columns: dict[str, Any] = {name: flows[name] for name in flows.column_names}
    columns["flow"] = pa.array(np.arange(count))
    columns["name"], columns["name_from"] = _own_names(flows)
    schema = DERIVED["flows"]
    arrays = [columns[one.name].cast(one.type) if one.name in columns else pa.nulls(count, one.type) for one in schema]
    return pa.table(arrays, schema=schema)


def _own_names(flows: pa.Table) -> tuple[Any, Any]:
    """The server's name as the flow itself tells it, and where; the Host of a CONNECT names somebody else."""
    nothing = pa.nulls(flows.num_rows, pa.string())
    sni = flows["sni"] if "sni" in flows.column_names else nothing
    host = flows["host"] if "host" in flows.column_names else nothing
    if "method" in flows.column_names:
        host = pc.if_else(pc.fill_null(pc.equal(flows["method"], "CONNECT"), False), None, host)
    source = pc.if_else(pc.is_valid(sni), "sni", pc.if_else(pc.is_valid(host), "host", None))
    return pc.coalesce(sni, host), source


def _named(flows: pa.Table, dns: pa.Table) -> pa.Table:
    """Flows without a name, given that of the last answer which held their server's address."""
    said = names_by_answer(flows, dns)
    nameless = pc.is_null(flows["name"])
    name = pc.if_else(nameless, said, flows["name"])
    source = pc.if_else(pc.and_(nameless, pc.is_valid(said)), "dns", flows["name_from"])
    for column, value in (("name", name), ("name_from", source)):
        place = flows.schema.get_field_index(column)
        flows = flows.set_column(place, flows.schema.field(place), value.cast(pa.string()))
    return flows


def _joined(name: str, table: pa.Table, keys: pa.Array) -> pa.Table:
    """The table with flows' numbers for keys."""
    place = table.schema.get_field_index("flow")
    number = pc.index_in(table["flow"], value_set=keys).cast(pa.int64())
    number = pc.if_else(pc.is_valid(table["flow"]), number, None)
    return _timely(name, table.set_column(place, "flow", number))


def _unjoined(name: str, table: pa.Table) -> pa.Table:
    """A table of a sensor that sees no flows: each row is its own."""
    if "flow" not in table.column_names:
        return table
    ordered = _timely(name, table)
    place = ordered.schema.get_field_index("flow")
    return ordered.set_column(place, ordered.schema.field(place), pa.array(np.arange(ordered.num_rows)))


def _timely(name: str, table: pa.Table) -> pa.Table:
    time = "time" if "time" in table.column_names else "start"
    order = stable_order(np.asarray(table[time].fill_null(0).to_numpy(), np.int64))
    return table.take(pa.array(order)).cast(DERIVED[name]).combine_chunks()
