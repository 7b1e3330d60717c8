"""Telemetry made by hand, for tests that need tables rather than captures."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from detector.contract import SCHEMAS, Telemetry

DAY_S = 86_400
US = 1_000_000


@dataclass
class Made:
    """Rows collected table by table; absent tables stay absent."""

    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    span_s: float = DAY_S

    def add(self, table: str, **values: Any) -> None:
        self.rows.setdefault(table, []).append({**dict.fromkeys(SCHEMAS[table].names), **values})

    def flow(self, start_s: float, *, lasts_s: float = 0.4, up: int = 900, down: int = 4200, **values: Any) -> int:
        number = values.pop("flow", len(self.rows.get("flows", ())))
        row = {"flow": number, "device": "phone-01", "inbound": False, "client": "10.88.0.2", "client_port": 40_000}
        row |= {"server": "198.18.0.9", "server_port": 443, "proto": "tcp", "established": True}
        row |= {"packets_up": 8, "packets_down": 9, "bytes_up": up, "bytes_down": down}
        self.add("flows", **{**row, "start": int(start_s * US), "end": int((start_s + lasts_s) * US), **values})
        return number

    def polls(self, times_s: Any, **values: Any) -> None:
        for time in times_s:
            self.flow(float(time), **values)

    def exchange(self, flow: int, start_s: float, up: int, down: int, *, delay_s: float = 0.1) -> None:
        start, answer = int(start_s * US), int((start_s + delay_s) * US)
        sizes = {"bytes_up": up, "bytes_down": down, "packets_up": 1, "packets_down": 1}
        first_down = answer if down else None
        self.add("exchanges", flow=flow, start=start, end=answer, first_down=first_down, **sizes)

    def lookup(
        self, time_s: float, qname: str, *, qtype: str = "A", answers: tuple[str, ...] = (), **values: Any
    ) -> None:
        number = self.flow(
            time_s, up=60, down=120, server="198.18.0.53", server_port=53, proto="udp", app_proto="dns", **values
        )
        row = {"flow": number, "time": int(time_s * US), "client": "10.88.0.2", "server": "198.18.0.53"}
        self.add("dns", **row, qname=qname, qtype=qtype, rcode=0, answers=list(answers), bytes_up=60, bytes_down=120)

    def state(self, time_s: float, *, locked: bool, foreground: int | None = None, device: str = "phone-01") -> None:
        on = not locked
        last = int(time_s * US)
        self.add(
            "device_state",
            time=last,
            device=device,
            screen_on=on,
            locked=locked,
            foreground_uid=foreground,
            last_interaction=last,
        )

    def app(
        self, uid: int, package: str, category: str | None, *, sanctioned: bool = False, roles: tuple[str, ...] = ()
    ) -> None:
        who = {"device": "phone-01", "uid": uid, "package": package, "label": package}
        self.add("packages", **who, category=category, sanctioned=sanctioned, roles=list(roles))

    def telemetry(self) -> Telemetry:
        tables = {name: pa.Table.from_pylist(rows, schema=SCHEMAS[name]) for name, rows in self.rows.items()}
        return Telemetry(tables, span=(0, int(self.span_s * US)))


@pytest.fixture
def made() -> Made:
    """An empty day of one phone."""
    return Made()


@pytest.fixture
def rng() -> np.random.Generator:
    """The generator of one test."""
    return np.random.default_rng(20_261_121)
