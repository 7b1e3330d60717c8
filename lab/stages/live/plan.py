"""The plan of one run as the servers and the gateway read it: scripts, payload, zone, services and certificates.

A folder that is mounted read-only into the servers; its layout is described in docs/live.md. The orchestrator holds the
client's side of the same scripts.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import dnslib

from lab.protocols.handshakes.certificates import Authority
from lab.protocols.real_tls import told_apart
from lab.stages.live.pace import Course, thinks
from lab.stages.live.script import Endpoint, Script
from lab.store import write_atomic

SCRIPTS, PAYLOAD, ZONE, SERVICES, PKI = "scripts.jsonl", "payload.bin", "zone.jsonl", "services.json", "pki"
ORIGIN_CA, TRUSTED = f"{PKI}/origin-ca.pem", f"{PKI}/trusted.pem"  # what mitmproxy trusts; what strangers do
_CHAIN = 1_800  # bytes that make our one certificate as long as the chains that lab.habits.customers reckons with
WEB = ("http", "websocket")  # what mitmproxy reads
WEB_PORTS = (80, 443, 8080, 8443)  # intercepted unless exempt
LAN = "10.88."


@dataclass(frozen=True)
class Interception:
    """What the gateway hands to mitmproxy beside the ports it always does, and what it never does."""

    redirect: tuple[Endpoint, ...]
    exempt: tuple[Endpoint, ...]


def write_plan(
    folder: Path, scripts: Sequence[Script], courses: Mapping[int, Course], authority: Authority, gateway: str = ""
) -> None:
    """Writes everything but the payload, which ``script.write_scripts`` has written.

    ``gateway``: the PEM of the authority that mitmproxy signs with; strangers trust it, as phones do.
    """
    lines = (json.dumps(script_line(script, courses[script.n]), separators=(",", ":")) for script in scripts)
    write_atomic(folder / SCRIPTS, "".join(f"{line}\n" for line in lines).encode())
    payload = (folder / PAYLOAD).read_bytes() if any(script.protocol == "dns" for script in scripts) else b""
    zone = (json.dumps(row, separators=(",", ":")) for row in zone_rows(scripts, payload))
    write_atomic(folder / ZONE, "".join(f"{line}\n" for line in zone).encode())
    write_atomic(folder / SERVICES, json.dumps(services(scripts)).encode())
    (folder / PKI).mkdir(mode=0o755)
    write_atomic(folder / ORIGIN_CA, authority.own.certificate)
    write_atomic(folder / TRUSTED, authority.own.certificate + gateway.encode("ascii"))
    for host in sorted({script.name or script.server[0] for script in scripts if script.tls and not script.inbound}):
        signed = authority.server(host, padding=_CHAIN)
        write_atomic(folder / PKI / f"{host}.pem", signed.certificate + signed.key)


def script_line(script: Script, course: Course) -> dict[str, Any]:
    """A conversation as the servers read it; times in microseconds of real time after the run's start."""
    columns = (
        script.from_client,
        script.size,
        script.offset,
        course.message_real,
        thinks(script, course),
        script.pushed,
    )
    turns = [[int(value) for value in row] for row in zip(*(column.tolist() for column in columns), strict=True)]
    return {
        "n": script.n,
        "protocol": script.protocol,
        "transport": script.transport,
        "tls": script.tls,
        "stack": told_apart(script.stack, script.alpn),
        "name": script.name,
        "server": list(script.server),
        "client": script.client,
        "inbound": script.inbound,
        "via": script.via,
        "rtt_us": script.rtt_us,
        "real_us": int(course.open_real),
        "close_us": int(course.close_real),
        "turns": turns,
    }


def zone_rows(scripts: Sequence[Script], payload: bytes) -> Iterator[dict[str, Any]]:
    """What each name is answered, in the order asked, as whole DNS messages (RFC 1035)."""
    for script in scripts:
        if script.protocol != "dns" or script.transport != "udp":
            continue
        said = [payload[at : at + size] for at, size in zip(script.offset.tolist(), script.size.tolist(), strict=True)]
        for k, (asked, answered) in enumerate(pairwise(said)):
            if script.from_client[k] and not script.from_client[k + 1]:
                question = dnslib.DNSRecord.parse(asked).q
                yield {
                    "n": script.n,
                    "qname": str(question.qname).rstrip(".").lower(),
                    "qtype": dnslib.QTYPE[question.qtype],
                    "answer": base64.b64encode(answered).decode("ascii"),
                    "think_us": int(script.think[k + 1]) + script.rtt_us,
                }


def services(scripts: Sequence[Script]) -> list[dict[str, Any]]:
    """What listens where on the servers: each (address, port, transport) once, sorted; DNS has the zone instead."""
    found: dict[tuple[str, int, str], dict[str, Any]] = {}
    for script in scripts:
        if script.inbound or script.protocol == "dns":
            continue
        key = (*script.server, script.transport)
        address, port, transport = key
        kind = {"protocol": script.protocol, "tls": script.tls}
        row = {"address": address, "port": port, "transport": transport, **kind, "alpn": []}
        known = found.setdefault(key, row)
        if script.alpn and script.alpn not in known["alpn"]:
            known["alpn"].append(script.alpn)
    return [found[key] for key in sorted(found)]


def interception(scripts: Sequence[Script]) -> Interception:
    """By place, whoever dials it, as an operator's proxy decides.

    Intercepted is every place where HTTP is spoken, and whatever begins TLS on a port of the web. Exempt on those
    ports: what is neither, and neighbours.
    """
    outward = [one for one in scripts if not one.inbound and one.transport == "tcp"]
    beyond = [one for one in outward if not one.server[0].startswith(LAN)]
    web = {one.server for one in beyond if one.protocol in WEB}
    read = web | {one.server for one in beyond if one.tls}
    redirect = tuple(sorted(place for place in web if place[1] not in WEB_PORTS))
    others = {one.server for one in outward} - read
    return Interception(redirect, tuple(sorted(place for place in others if place[1] in WEB_PORTS)))


def strangers(scripts: Sequence[Script]) -> tuple[str, ...]:
    """The addresses of those who connect into phones."""
    return tuple(sorted({script.client for script in scripts if script.inbound}))


def neighbours(scripts: Sequence[Script]) -> tuple[str, ...]:
    """The addresses on the phones' own network that phones connect to, the resolver's excepted."""
    found = {script.server[0] for script in scripts if not script.inbound and script.protocol != "dns"}
    return tuple(sorted(address for address in found if address.startswith(LAN)))
