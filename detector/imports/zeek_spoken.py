"""What connections spoke: Zeek's services, and what ssl, http, quic, socks and websocket logs add to the flows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from detector.imports.mentions import FirstLine
from detector.imports.words import lower

#: Services that win over what runs inside them or beside them, in this order; the rest is taken as Zeek calls it.
_FIRST = ("websocket", "socks", "smtp", "imap", "pop3", "quic", "ssl", "dtls", "http", "dns")
_OURS = {"ssl": "tls"}
_NAMELESS_DNS = {5353: "mdns", 5355: "llmnr"}


def spoken(flows: pa.Table, tables: Mapping[str, pa.Table]) -> pa.Table:
    """The flows with app_proto, sni, alpn, ja4, host, method, user_agent and proxy columns."""
    logs = {kind: FirstLine(flows["uid"], tables[kind]) for kind in tables if kind not in ("conn", "dns")}
    silent = pa.nulls(flows.num_rows, pa.string())
    service = flows["service"] if "service" in flows.column_names else silent
    columns: dict[str, Any] = {
        "sni": _either(logs, silent, ("ssl", "server_name"), ("quic", "server_name")),
        "alpn": _either(logs, silent, ("ssl", "next_protocol"), ("quic", "client_protocol")),
        "ja4": _either(logs, silent, ("ssl", "ja4")),
        "host": _either(logs, silent, ("http", "host"), ("websocket", "host")),
        "method": _either(logs, silent, ("http", "method")),
        "user_agent": _either(logs, silent, ("http", "user_agent"), ("websocket", "user_agent")),
    }
    columns["sni"], columns["host"] = lower(columns["sni"]), lower(columns["host"])
    columns |= _proxied(logs, silent, columns["method"])
    for name in ("sni", "alpn", "ja4"):  # of a relayed session they are not this server's
        columns[name] = pc.if_else(pc.is_valid(columns["proxy"]), None, columns[name])
    columns["app_proto"] = _protocol(flows, logs, service, columns["proxy"])
    for name, column in columns.items():
        flows = flows.append_column(name, column)
    return flows.drop_columns(["service"]) if "service" in flows.column_names else flows


def _either(logs: Mapping[str, FirstLine], nothing: Any, *sources: tuple[str, str]) -> Any:
    found = [logs[kind].column(name) for kind, name in sources if kind in logs]
    return pc.coalesce(*found) if found else nothing


def _proxied(logs: Mapping[str, FirstLine], nothing: Any, method: Any) -> dict[str, Any]:
    """Requests to relay, all of them asked of the server: Zeek logs none that a server asks of its client."""
    is_connect = pc.fill_null(pc.equal(method, "CONNECT"), False)
    proxy, target = pc.if_else(is_connect, "connect", None), nothing
    granted = nothing.cast(pa.bool_())
    if "http" in logs:
        target = pc.if_else(is_connect, logs["http"].column("uri"), None)
        status = logs["http"].column("status_code")
        granted = pc.if_else(is_connect, pc.and_(pc.greater_equal(status, 200), pc.less(status, 300)), None)
    if "socks" in logs:
        log = logs["socks"]
        version = pc.if_else(pc.equal(log.column("version"), 4), "socks4", "socks5")
        proxy = pc.if_else(log.knows(), version, proxy)
        host = pc.coalesce(log.column("request.name"), log.column("request.host"))
        asked = pc.binary_join_element_wise(host, log.column("request_p").cast(pa.string()), ":")
        target = pc.if_else(log.knows(), asked, target)
        granted = pc.if_else(log.knows(), pc.equal(log.column("status"), "succeeded"), granted)
    server = pc.if_else(pc.is_valid(proxy), "server", None)
    return {"proxy": proxy, "proxy_server": server, "proxy_target": target, "proxy_granted": granted}


def _protocol(flows: pa.Table, logs: Mapping[str, FirstLine], service: Any, proxy: Any) -> Any:
    """A proxy request, else what the service column says, else the log that knows the connection."""
    kinds = pc.unique(service).to_pylist()
    said = pa.array([_service(kind) for kind in kinds], pa.string())
    found = said.take(pc.index_in(service, value_set=pa.array(kinds, pa.string())))
    found = pc.coalesce(pc.replace_substring(proxy, "socks4a", "socks4"), found)
    for kind in ("websocket", "quic", "ssl", "http"):
        if kind in logs:
            ours = _OURS.get(kind, kind)
            if kind == "websocket":
                found = pc.if_else(logs[kind].knows(), ours, found)
            found = pc.coalesce(found, pc.if_else(logs[kind].knows(), ours, None))
    for port, name in _NAMELESS_DNS.items():
        found = pc.if_else(
            pc.fill_null(pc.and_(pc.equal(found, "dns"), pc.equal(flows["server_port"], port)), False), name, found
        )
    return found


def _service(said: str | None) -> str | None:
    """One protocol of Zeek's list of services; one with a minus before it was tried and is none.

    >>> _service("http,ssl"), _service("-imap,ssl"), _service("gssapi,krb"), _service(None)
    ('tls', 'tls', 'gssapi', None)
    """
    parts = [part for part in (said or "").lower().split(",") if part and not part.startswith("-")]
    first = next((part for part in _FIRST if part in parts), parts[0] if parts else None)
    return _OURS.get(first, first) if first else None
