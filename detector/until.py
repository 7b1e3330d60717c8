"""A telemetry as it stood at a moment: what its sensor could have told by then, and nothing of later.

An exchange or request is known once it is over, a flow from its start on, with what it had carried; of a flow without
exchanges that is a share by time. Packets are dealt like bytes. Whether a request to relay was granted is known with
its answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from detector.answered import answered
from detector.columns import NULL, Int64, joined, whole
from detector.contract import Telemetry

SIDES = ("up", "down")


def until(telemetry: Telemetry, moment: int) -> Telemetry:
    """The telemetry of that moment (microseconds); without its capture, which nobody has cut."""
    tables = {name: _CUTS[name](table, moment) for name, table in telemetry.tables.items() if name in _CUTS}
    if "flows" in tables:
        exchanges = telemetry.tables.get("exchanges")
        tables["flows"] = _flows(_ungranted(tables["flows"], exchanges, moment), exchanges, moment)
    kept = {name: tables.get(name, table) for name, table in telemetry.tables.items()}
    span = (telemetry.span[0], max(telemetry.span[0], min(telemetry.span[1], moment)))
    return replace(telemetry, tables=kept, span=span, capture=None, packets=None)


def _by(column: str) -> Callable[[pa.Table, int], pa.Table]:
    return lambda table, moment: table.filter(pc.less_equal(table[column], moment))


def _look_ups(table: pa.Table, moment: int) -> pa.Table:
    """What was asked by then; answers that came later are not known."""
    asked = table.filter(pc.less_equal(table["time"], moment))
    late = pc.greater(asked["answered"], moment).fill_null(False)
    for name in ("answered", "rcode", "answers"):
        place = asked.schema.get_field_index(name)
        field = asked.schema.field(place)
        nothing = pa.chunked_array([pa.nulls(asked.num_rows, field.type)], field.type)
        asked = asked.set_column(place, field, pc.if_else(late, nothing, asked[name]))
    return asked


_CUTS: Mapping[str, Callable[[pa.Table, int], pa.Table]] = {
    "flows": _by("start"),
    "exchanges": _by("end"),
    "dns": _look_ups,
    "sockets": _by("time"),
    "device_state": _by("time"),
    "http": _by("end"),
}


def _ungranted(flows: pa.Table, exchanges: pa.Table | None, moment: int) -> pa.Table:
    """The flows; of requests to relay that were answered later nobody knows whether they were granted."""
    if flows["proxy_granted"].null_count == len(flows):
        return flows
    socks5 = pc.equal(flows["proxy"], "socks5").fill_null(False).to_numpy()
    when = answered(whole(flows["flow"]), whole(flows["end"]), socks5, exchanges)
    later = pa.array(when > moment)
    place = flows.schema.get_field_index("proxy_granted")
    field = flows.schema.field(place)
    return flows.set_column(place, field, pc.if_else(later, None, flows["proxy_granted"]))


def _flows(flows: pa.Table, exchanges: pa.Table | None, moment: int) -> pa.Table:
    """Flows begun by then; what is not over has carried less."""
    start, end = whole(flows["start"]), whole(flows["end"])
    share = np.clip((moment - start) / np.maximum(end - start, 1), 0.0, 1.0)
    columns = {"end": np.minimum(end, moment)}
    for side in SIDES:
        total = whole(flows[f"bytes_{side}"], null=0)
        left = total if exchanges is None else _left(flows, exchanges, side, moment)
        silent = np.ones(len(start), np.bool_) if exchanges is None else _silent(flows, exchanges)
        known = np.where(silent, np.rint(total * share).astype(np.int64), np.maximum(total - left, 0))
        columns[f"bytes_{side}"] = np.where(end <= moment, total, known)
        packets = whole(flows[f"packets_{side}"], null=0)
        part = np.ceil(packets * columns[f"bytes_{side}"] / np.maximum(total, 1)).astype(np.int64)
        columns[f"packets_{side}"] = np.where(end <= moment, packets, part)
    for name, values in columns.items():
        place = flows.schema.get_field_index(name)
        field = flows.schema.field(place)
        missing = pc.is_null(flows[name])
        flows = flows.set_column(place, field, pc.if_else(missing, None, pa.array(values, field.type)))
    return flows


def _left(flows: pa.Table, exchanges: pa.Table, side: str, moment: int) -> Int64:
    """(n,) bytes of exchanges that are over later."""
    numbers, place = np.unique(whole(flows["flow"]), return_inverse=True)
    later = np.flatnonzero(whole(exchanges["end"]) > moment)
    owner = joined(numbers, whole(exchanges["flow"])[later])
    amount = whole(exchanges[f"bytes_{side}"], null=0)[later]
    known = owner != NULL
    sums = np.bincount(owner[known], amount[known], len(numbers)).astype(np.int64)
    return np.asarray(sums[place], np.int64)


def _silent(flows: pa.Table, exchanges: pa.Table) -> np.typing.NDArray[np.bool_]:
    """(n,) whether a flow has no exchange at all."""
    return ~np.isin(whole(flows["flow"]), whole(exchanges["flow"]))
