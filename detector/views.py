"""The visibility ladder: what sensors that see less would have seen of the same telemetry (DESIGN section 5).

Rule: a view only takes away. No table, row or value may come out that a lesser sensor could not have written, and none
that was not there before; what a sensor estimates (packet sampling) replaces what it could not count. Views are pure,
and applying one twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from detector.columns import whole
from detector.contract import Telemetry, View
from detector.sampling import ONE_IN, extremes, sampled
from detector.tables import SCHEMAS

SECURED = ("tls", "quic")
APP_COLUMNS = ("uid", "package")
NAME_COLUMNS = ("name", "name_from", "sni")
PAYLOAD_COLUMNS = (
    "app_proto",
    *NAME_COLUMNS,
    *("alpn", "ja4", "host", "method", "user_agent", "proxy", "proxy_server", "proxy_target", "proxy_granted"),
)


def full(telemetry: Telemetry) -> Telemetry:
    """Agent on the phone and an inspecting gateway: everything (PCAPdroid with mitmproxy, MDM, capture)."""
    return telemetry


def no_decryption(telemetry: Telemetry) -> Telemetry:
    """Agent on the phone and a passive capture: no decrypted requests (certificate pinning, or a policy against it)."""
    return _only(telemetry, "no-decryption", set(SCHEMAS) - {"http"})


def no_state(telemetry: Telemetry) -> Telemetry:
    """Agent on the phone that cannot tell screen, lock and foreground (a VPN-based agent without usage access)."""
    return _only(telemetry, "no-state", set(SCHEMAS) - {"device_state"})


def no_app(telemetry: Telemetry) -> Telemetry:
    """Gateway or network monitor beside an MDM: whose address and whether the screen is on, but no app.

    A device is its IP address. Device states stay, once for each address the device has a flow with, without the
    foreground app; those of devices without a flow go. The capture stays: such a sensor sees packets.
    """
    tables = {name: telemetry.tables[name] for name in ("exchanges", "dns") if name in telemetry}
    if "flows" in telemetry:
        tables["flows"] = _by_address(telemetry["flows"])
    if "http" in telemetry:
        tables["http"] = _put(telemetry["http"], device=telemetry["http"]["client"])
    if "device_state" in telemetry and "flows" in telemetry:
        tables["device_state"] = _states(telemetry["device_state"], telemetry["flows"])
    return replace(telemetry, view="no-app", tables=_ordered(tables))


def no_sni(telemetry: Telemetry) -> Telemetry:
    """Agent on the phone and a passive capture in a world of Encrypted ClientHello and DNS over TLS or HTTPS.

    Gone: SNI, names that came from SNI or DNS, the dns table, the capture (it would show them), and decrypted requests,
    since who cannot read the hello cannot intercept the connection either. Host of clear HTTP, ALPN and JA4 stay: the
    outer hello still has them, though of the client's outer offer. Flows to port 53 stay as flows.
    """
    telemetry = _only(telemetry, "no-sni", set(SCHEMAS) - {"dns", "http"}, capture=False)
    if "flows" not in telemetry:
        return telemetry
    flows = telemetry["flows"]
    hidden = pc.is_in(flows["name_from"], pa.array(["sni", "dns"], pa.string()))
    secured = pc.is_in(flows["app_proto"], pa.array(SECURED, pa.string()))
    unnamed = pc.or_(hidden, secured)
    named = {name: pc.if_else(unnamed, None, flows[name]) for name in ("name", "name_from")}
    host = pc.if_else(secured, None, flows["host"])
    less = _put(_null(flows, ["sni"]), **named, host=host)
    return replace(telemetry, tables={**telemetry.tables, "flows": less})


def netflow(telemetry: Telemetry) -> Telemetry:
    """Router that exports NetFlow or IPFIX: one record per flow, both directions joined (RFC 5103), and nothing else.

    Milder than some: an active timeout would cut long flows into pieces, and octets would include headers.
    """
    telemetry = _only(telemetry, "netflow", {"flows"}, capture=False)
    if "flows" not in telemetry:
        return telemetry
    flows = _null(_by_address(telemetry["flows"]), PAYLOAD_COLUMNS)
    return replace(telemetry, tables={"flows": flows})


def dns_only(telemetry: Telemetry) -> Telemetry:
    """Resolver with a query log (dnstap, passive DNS, protective DNS): who asked what, by address.

    Packages and sockets go although an agent might have them: nothing in a look-up joins them, since on Android the
    resolver daemon asks for all apps.
    """
    return _only(telemetry, "dns-only", {"dns"}, capture=False)


def sampled_1in100(telemetry: Telemetry) -> Telemetry:
    """Router that exports sampled NetFlow or sFlow, one packet in a hundred (detector/sampling.py says how).

    Flows without a sampled packet are gone; counts are estimates, a hundred times what was sampled; start and end are
    those of the sampled packets; established means that both directions were sampled. What is sampled already, stays.
    """
    if telemetry.view == "sampled-1in100":
        return telemetry
    seen = netflow(telemetry)
    tables = {name: _sample(table) for name, table in seen.tables.items()}
    return replace(seen, view="sampled-1in100", tables=tables)


#: All views by name; the docstring of each says which real sensor it stands for.
VIEWS: Mapping[str, View] = {
    view.__name__.replace("_", "-"): view
    for view in (full, no_decryption, no_state, no_app, no_sni, netflow, dns_only, sampled_1in100)
}


def _only(telemetry: Telemetry, name: str, tables: set[str], *, capture: bool = True) -> Telemetry:
    kept = {table: content for table, content in telemetry.tables.items() if table in tables}
    if capture:
        return replace(telemetry, view=name, tables=kept)
    return replace(telemetry, view=name, tables=kept, capture=None, packets=None)


def _ordered(tables: Mapping[str, pa.Table]) -> dict[str, pa.Table]:
    return {name: tables[name] for name in SCHEMAS if name in tables}


def _put(table: pa.Table, **columns: pa.ChunkedArray) -> pa.Table:
    for name, column in columns.items():
        place = table.schema.get_field_index(name)
        table = table.set_column(place, table.schema.field(place), column)
    return table


def _null(table: pa.Table, names: Iterable[str]) -> pa.Table:
    return _put(table, **{name: _nulls(table, name) for name in names})


def _nulls(table: pa.Table, name: str) -> pa.ChunkedArray:
    kind = table.schema.field(name).type
    return pa.chunked_array([pa.nulls(table.num_rows, kind)], kind)


def _by_address(flows: pa.Table) -> pa.Table:
    """The flows with the address as device, and without apps."""
    return _put(_null(flows, APP_COLUMNS), device=_address(flows))


def _address(flows: pa.Table) -> pa.ChunkedArray:
    return pc.if_else(flows["inbound"], flows["server"], flows["client"])


def _states(states: pa.Table, flows: pa.Table) -> pa.Table:
    """Every state once for each address of its device, without the foreground app; by time, then address."""
    pairs = (
        pa.table({"device": flows["device"], "address": _address(flows)}).group_by(["device", "address"]).aggregate([])
    )
    plain = _null(states, ["foreground_uid"])
    joined = plain.join(pairs, "device", join_type="inner").sort_by([("time", "ascending"), ("address", "ascending")])
    return _put(joined.select(states.column_names), device=joined["address"]).combine_chunks()


def _sample(flows: pa.Table) -> pa.Table:
    number = whole(flows["flow"])
    directions = {}
    for stream, way in ((0, "up"), (2, "down")):
        packets = whole(flows[f"packets_{way}"], 0)
        seen = sampled(packets, number, stream)
        size = whole(flows[f"bytes_{way}"], 0) / np.maximum(packets, 1)
        directions[way] = (seen, np.rint(size * seen * ONE_IN).astype(np.int64))
    (up, bytes_up), (down, bytes_down) = directions["up"], directions["down"]
    start, end = extremes(whole(flows["start"]), whole(flows["end"]), up + down, number, 4)
    both = pa.chunked_array([pa.array((up > 0) & (down > 0))])
    columns = {"start": start, "end": end, "packets_up": up * ONE_IN, "packets_down": down * ONE_IN}
    columns |= {"bytes_up": bytes_up, "bytes_down": bytes_down}
    counted = _put(flows, **{name: pa.chunked_array([pa.array(column)]) for name, column in columns.items()})
    known = _put(counted, established=pc.and_(flows["established"], both))
    return known.filter(pa.array(up + down > 0))
