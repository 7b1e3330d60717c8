"""Whose packets they are, as PCAPdroid says it."""

import pyarrow.parquet as pq

from lab.injecting.injected import read_injected
from lab.injecting.owners import UNKNOWN, owners_of


def test_every_packet_has_the_app_of_its_socket(smoke_recording):
    telemetry = smoke_recording / "telemetry"
    injected = read_injected(telemetry / "capture.pcap", [])
    found = owners_of(telemetry, injected)
    packages = pq.read_table(telemetry / "packages.parquet").to_pylist()
    assert len(found) == len(injected.heads)
    assert set(found) - {UNKNOWN} <= {(row["uid"], row["label"]) for row in packages}
    assert sum(owner == UNKNOWN for owner in found) == 0
