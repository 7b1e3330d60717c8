"""Telemetry as a folder for foreign programs: a Parquet file per table, the capture, and telemetry.json.

Everything a detector may see and nothing else: no scenario, no truth, no name that tells. Files are copies, so that
whoever writes to them changes no recording.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from detector.contract import EvidenceError, Telemetry

if TYPE_CHECKING:
    from detector.baseline import Baseline

SCHEMA_VERSION = 1
ABOUT = "telemetry.json"
CAPTURE = "capture.pcap"
LEARNED = "learned.baseline"
#: All that is told of damage: what was found where names the recording, and so the scenario and its seed.
PARTIAL = "some of the evidence is damaged or missing"


def hand_over(telemetry: Telemetry, folder: Path) -> None:
    """Writes telemetry.json, ``<table>.parquet`` for each table, and, if there are, capture.pcap and learned.baseline.

    telemetry.json: schema_version, view, span (first and last time, microseconds since the epoch), tables (rows by
    name), capture and baseline (their file names or null), packets, partial (PARTIAL, or null where the evidence is
    whole), outside.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)  # whatever the umask: a container's user is another one
    for name, table in telemetry.tables.items():
        pq.write_table(table, folder / f"{name}.parquet")
    if telemetry.baseline is not None:
        telemetry.baseline.write(folder / LEARNED)
    if telemetry.capture is not None:
        shutil.copyfile(telemetry.capture, folder / CAPTURE)
    about: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "view": telemetry.view,
        "span": list(telemetry.span),
        "tables": {name: table.num_rows for name, table in telemetry.tables.items()},
        "capture": None if telemetry.capture is None else CAPTURE,
        "baseline": None if telemetry.baseline is None else LEARNED,
        "packets": telemetry.packets,
        "partial": None if telemetry.partial is None else PARTIAL,
        "outside": dict(telemetry.outside),
    }
    (folder / ABOUT).write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    for file in folder.iterdir():
        file.chmod(0o644)


def handed(folder: Path) -> Telemetry:
    """The telemetry in such a folder; EvidenceError if it is not one."""
    try:
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        tables = {name: pq.read_table(folder / f"{name}.parquet", partitioning=None) for name in about["tables"]}
        return Telemetry(
            tables=tables,
            span=(about["span"][0], about["span"][1]),
            view=about["view"],
            capture=None if about["capture"] is None else folder / about["capture"],
            packets=about["packets"],
            partial=about["partial"],
            outside=about["outside"],
            baseline=None if about["baseline"] is None else _learned(folder / about["baseline"]),
        )
    except (OSError, ValueError, LookupError, TypeError) as fault:
        raise EvidenceError(f"{folder}: no telemetry was handed over here ({fault})") from fault


def _learned(path: Path) -> Baseline:
    from detector.baseline import Baseline

    return Baseline.read(path)
