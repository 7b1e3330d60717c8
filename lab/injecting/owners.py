"""Whose packets are injected, as PCAPdroid's trailers say it: uid and label of the app, per packet."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq

from lab.injecting.heads import TCP
from lab.injecting.injected import Injected

UNKNOWN = (-1, "")  # PCAPdroid's word for an app that it does not know


def owners_of(telemetry: Path, injected: Injected) -> tuple[tuple[int, str], ...]:
    """Per packet uid and label of the app whose socket carried it, from a recording's sockets and packages."""
    labels = {
        (row["device"], row["uid"]): row["label"]
        for row in pq.read_table(telemetry / "packages.parquet", columns=["device", "uid", "label"]).to_pylist()
    }
    known: dict[tuple[str, int, str, int, str], tuple[int, str]] = {}
    for row in pq.read_table(telemetry / "sockets.parquet").to_pylist():
        if row["uid"] is None or row["peer_address"] is None:
            continue
        here, there = (row["local_address"], row["local_port"]), (row["peer_address"], row["peer_port"])
        owner = (row["uid"], labels.get((row["device"], row["uid"]), ""))
        known[*here, *there, row["proto"]] = known[*there, *here, row["proto"]] = owner
    heads = injected.heads
    ends = zip(
        *(injected.ends(source=True), heads.sport.tolist(), injected.ends(source=False), heads.dport.tolist()),
        (heads.proto == TCP).tolist(),
        strict=True,
    )
    return tuple(
        known.get((src, sport, dst, dport, "tcp" if tcp else "udp"), UNKNOWN) for src, sport, dst, dport, tcp in ends
    )
