"""Small plan folders for the servers' tests: real protocol bytes, made-up addresses, no timeline."""

from __future__ import annotations

import base64
import datetime as dt
import json
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import dnslib
import numpy as np

from lab.protocols import Dialogue
from lab.protocols.handshakes.certificates import Authority

VALID = dt.datetime(2020, 1, 1, tzinfo=dt.UTC), dt.datetime(2049, 1, 1, tzinfo=dt.UTC)
RTT_US = 40_000
DEVICE = "10.88.1.10"


@dataclass(frozen=True)
class Talk:
    """One conversation to be written: (time, up, down, delay) rows in microseconds and bytes."""

    n: int
    protocol: str
    server: tuple[str, int]
    rows: tuple[tuple[int, int, int, int], ...]
    tls: bool = False
    name: str = ""
    client: str = DEVICE
    inbound: bool = False
    via: int | None = None
    options: dict[str, str] = field(default_factory=dict)
    close_us: int = 3_000_000


def write_folder(folder: Path, talks: list[Talk], services: list[dict[str, Any]] | None = None) -> Path:
    """The folder, complete; ``services`` are added to those of the talks."""
    folder.mkdir(parents=True, exist_ok=True)
    payload = bytearray()
    lines, zone = [], []
    for talk in talks:
        line = _line(talk, payload)
        lines.append(json.dumps(line))
        if talk.protocol == "dns":
            zone += _zone(line, payload)
    (folder / "scripts.jsonl").write_text("".join(f"{line}\n" for line in lines))
    (folder / "payload.bin").write_bytes(bytes(payload))
    (folder / "zone.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in zone))
    (folder / "services.json").write_text(json.dumps([*_services(talks), *(services or [])]))
    _certificates(folder / "pki", talks, services or [])
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return folder


def _line(talk: Talk, payload: bytearray) -> dict[str, Any]:
    time, up, down, delay = (np.array(column, dtype=np.int64) for column in zip(*talk.rows, strict=True))
    host = talk.name or talk.server[0]
    rng = np.random.Generator(np.random.SFC64(talk.n + 1))
    dialogue = Dialogue(host, talk.server[1], talk.options, "agent/1.0", time, up, down, delay, rng, 0)
    form = import_module(f"lab.protocols.{talk.protocol}")
    turns, asked = [], 0
    for message in form.messages(dialogue):
        think = 0 if message.from_client or message.pushed else max(0, message.time - asked)
        asked = message.time if message.from_client else asked
        row = [message.from_client, len(message.data), len(payload), message.time, think, message.pushed]
        turns.append([int(value) for value in row])
        payload += message.data
    return {
        "n": talk.n,
        "protocol": talk.protocol,
        "transport": form.TRANSPORT,
        "tls": talk.tls,
        "stack": 0,
        "name": talk.name,
        "server": list(talk.server),
        "client": talk.client,
        "inbound": talk.inbound,
        "via": talk.via,
        "rtt_us": RTT_US,
        "real_us": 0,
        "close_us": talk.close_us,
        "turns": turns,
    }


def _zone(line: dict[str, Any], payload: bytearray) -> list[dict[str, Any]]:
    said = [bytes(payload[at : at + size]) for _, size, at, *_ in line["turns"]]
    found = []
    for question, answer, turn in zip(said[::2], said[1::2], line["turns"][1::2], strict=True):
        asked = dnslib.DNSRecord.parse(question).q
        row = {"n": line["n"], "qname": str(asked.qname).rstrip("."), "qtype": dnslib.QTYPE[asked.qtype]}
        found.append({**row, "answer": base64.b64encode(answer).decode(), "think_us": turn[4] + RTT_US})
    return found


def _services(talks: list[Talk]) -> list[dict[str, Any]]:
    found: dict[tuple[str, int, str], dict[str, Any]] = {}
    for talk in talks:
        if talk.inbound or talk.protocol == "dns":
            continue
        transport = import_module(f"lab.protocols.{talk.protocol}").TRANSPORT
        place = {"address": talk.server[0], "port": talk.server[1], "transport": transport}
        alpn = talk.options.get("alpn", "").split()
        found[*talk.server, transport] = {**place, "protocol": talk.protocol, "tls": talk.tls, "alpn": alpn}
    return list(found.values())


def _certificates(folder: Path, talks: list[Talk], services: list[dict[str, Any]]) -> None:
    folder.mkdir(exist_ok=True)
    authority = Authority("test CA", VALID)
    for name in ("origin-ca.pem", "trusted.pem"):
        (folder / name).write_bytes(authority.own.certificate)
    hosts = {talk.name or talk.server[0] for talk in talks if talk.tls}
    for host in sorted(hosts | {service["address"] for service in services if service["tls"]}):
        signed = authority.server(host)
        (folder / f"{host}.pem").write_bytes(signed.certificate + signed.key)
