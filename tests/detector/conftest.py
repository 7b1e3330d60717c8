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

    def bridge(self, begin_s: float, *, streams: int = 40, lasts_s: float = 2500, **who: Any) -> None:
        """A tunnel that asks, each time a flow goes out, and its answer returns by the tunnel."""
        tunnel = self.flow(begin_s, lasts_s=lasts_s, up=0, down=0, server="198.18.9.9", name="gw.cloud.example", **who)
        for k in range(streams):
            start, up, down = begin_s + 47.0 * k + 20, 700 + 90 * k, 3000 + 5000 * k
            self.exchange(tunnel, start, up=0, down=up, delay_s=0.01)
            flow = self.flow(start + 0.3, lasts_s=1, up=up, down=down, name=f"site{begin_s}-{k}.example", **who)
            self.exchange(flow, start + 0.3, up, down)
            self.exchange(tunnel, start + 0.8, up=down, down=0)
        said = [one for one in self.rows["exchanges"] if one["flow"] == tunnel]
        for row in self.rows["flows"]:
            if row["flow"] == tunnel:
                row |= {name: sum(one[name] for one in said) for name in ("bytes_up", "bytes_down")}

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
