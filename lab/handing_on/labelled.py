"""The flows of a recording, each once, beside what the truth says of it: the rows of truth/conn.log.labeled.

What a sensor shows comes from the telemetry alone; of the truth's row its label and what only packets tell (history).
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from lab.errors import EvidenceError

Row = Mapping[str, Any]
#: How far apart the two may see the same flow begin: a live stage's clocks, and frames that were lost.
APART_US = 5_000_000
_ENDS = ("client", "client_port", "server", "server_port", "proto")
_ZEEK_ENDS = ("id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "proto")


@dataclass(frozen=True)
class Labelled:
    """A row of telemetry's flows, and the columns of the truth's row; ``truth`` is empty where it knows none."""

    flow: Row
    truth: Mapping[str, str]

    @property
    def uid(self) -> str:
        """Zeek's identifier of the connection."""
        key = (*_key(self.flow, _ENDS), self.flow["start"])
        return self.truth.get("uid") or "C" + hashlib.sha256(repr(key).encode()).hexdigest()[:17]

    @property
    def label(self) -> tuple[str, str]:
        """Label and detailedlabel as netflowlabeler has them: Malicious, Benign or Background, and of what."""
        return self.truth.get("label", "Background"), self.truth.get("detailedlabel", "unknown")

    @property
    def incident(self) -> str | None:
        """The incident it is of, look-ups for it included; None: of none."""
        return self.truth.get("incident") or None


def labelled(flows: Iterable[Row], truth: Path) -> list[Labelled]:
    """Each flow with the truth's row of the same ends that begins nearest; EvidenceError for a truth that is none."""
    known: dict[tuple[Any, ...], list[tuple[int, dict[str, str]]]] = {}
    for row in truth_rows(truth):
        known.setdefault(_key(row, _ZEEK_ENDS), []).append((round(Decimal(row["ts"]) * 1_000_000), row))
    for same in known.values():
        same.sort(key=lambda pair: pair[0])
    once = {row["flow"]: row for row in sorted(flows, key=lambda row: (row["flow"], not row["inbound"]))}
    return [Labelled(row, _nearest(known.get(_key(row, _ENDS), []), row["start"])) for row in once.values()]


def truth_rows(truth: Path) -> list[dict[str, str]]:
    """The lines of conn.log.labeled by column, with the incident of each flow (empty: none) from flows.parquet.

    EvidenceError with the line of one that has other columns, or where the two do not tell of the same flows.
    """
    import pyarrow.parquet as pq

    rows = _lines(truth / "conn.log.labeled")
    known = pq.read_table(truth / "flows.parquet", columns=["client_port", "incident"]).to_pylist()
    incidents = [row["incident"] or "" for row in known if row["client_port"] is not None]
    if len(incidents) != len(rows):
        raise EvidenceError(f"{truth}: found {len(rows)} flows in conn.log.labeled, {len(incidents)} in flows.parquet")
    return [{**row, "incident": incident} for row, incident in zip(rows, incidents, strict=True)]


def _lines(log: Path) -> list[dict[str, str]]:
    names: list[str] = []
    rows = []
    for number, line in enumerate(log.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("#fields"):
            names = line.split("\t")[1:]
        if line.startswith("#"):
            continue
        cells = line.split("\t")
        if len(cells) != len(names):
            raise EvidenceError(f"{log}, line {number}: found {len(cells)} columns, expected {len(names)}")
        rows.append(dict(zip(names, cells, strict=True)))
    return rows


def _nearest(same: list[tuple[int, dict[str, str]]], start: int) -> Mapping[str, str]:
    at = bisect_left(same, start, key=lambda pair: pair[0])
    near = sorted(same[max(at - 1, 0) : at + 1], key=lambda pair: abs(pair[0] - start))
    return near[0][1] if near and abs(near[0][0] - start) <= APART_US else {}


def _key(row: Row, names: tuple[str, ...]) -> tuple[Any, ...]:
    client, client_port, server, server_port, proto = (row[name] for name in names)
    return _address(client), _port(client_port), _address(server), _port(server_port), proto


def _address(text: str) -> str:
    return ip_address(text).compressed if ":" in text else text


def _port(value: Any) -> int:
    return 0 if value in (None, "-") else int(value)
