"""A recording as every form of telemetry that is read, and what the builtin detector finds of its incidents in each."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from detector.contract import Finding, Telemetry, detector, open_telemetry, view
from tests.detector.imports import written

Write = Callable[[Telemetry, Path, Path], object]


@dataclass(frozen=True)
class Form:
    """How a recording is written in it, and the view of the recording that shows as much (None: none does)."""

    name: str
    write: Write
    view: str | None


def _managed(telemetry: Telemetry, capture: Path, path: Path) -> None:
    """A folder with PCAPdroid's capture and what the phones' manager knows."""
    path.mkdir()
    written.pcapdroid_pcap(telemetry, capture, path / "phone.pcap")
    addresses = {name: sorted(found) for name, found in device_addresses(capture.parents[1]).items()}
    written.inventory(telemetry, addresses, path / "inventory.csv")


FORMS = (
    Form("pcap", lambda _telemetry, capture, path: path.write_bytes(capture.read_bytes()), "no-app"),
    Form("PCAPdroid pcap with trailers", written.pcapdroid_pcap, "no-state"),
    Form("PCAPdroid pcapng", written.pcapdroid_pcapng, "no-state"),
    Form(
        "PCAPdroid pcap and an inventory",
        _managed,
        "no-state",
    ),
    Form("PCAPdroid CSV", lambda telemetry, _capture, path: written.pcapdroid_csv(telemetry, path), None),
    Form("Zeek conn, dns, ssl, http, socks", lambda telemetry, _capture, path: written.zeek(telemetry, path), None),
    Form("EVE flow, dns, tls, http", lambda telemetry, _capture, path: written.eve(telemetry, path), None),
    Form("NetFlow", lambda telemetry, _capture, path: written.netflow(telemetry, path), "netflow"),
)


@dataclass(frozen=True)
class Seen:
    """What was found of a recording in one form: incidents, and alerts that are of none."""

    form: str
    found: frozenset[str]
    others: int


def forms(recording: Path, folder: Path) -> Iterator[tuple[Form, Telemetry]]:
    """The recording in every form, read anew."""
    capture = recording / "telemetry" / "capture.pcap"
    telemetry = open_telemetry(recording / "telemetry")
    for number, form in enumerate(FORMS):
        path = folder / f"form{number}"
        form.write(telemetry, capture, path)
        yield form, open_telemetry(path)


def suricata(recording: Path, folder: Path) -> Telemetry:
    """The EVE that Suricata itself writes of the recording, without rules."""
    capture = recording / "telemetry" / "capture.pcap"
    words = ["suricata", "-k", "none", "-r", str(capture), "-l", str(folder), "-S", "/dev/null"]
    subprocess.run(words, capture_output=True, check=True)
    return open_telemetry(folder / "eve.json")


def has_suricata() -> bool:
    return shutil.which("suricata") is not None


def judged(recording: Path, name: str, telemetry: Telemetry) -> Seen:
    """The incidents that an alert names the analytic and device of, by name or address, and the app where it is told."""
    incidents = pq.read_table(recording / "truth" / "incidents.parquet").to_pylist()
    addresses = device_addresses(recording)
    alerts = [finding for finding in detector("builtin").detect(telemetry) if finding.alert]
    hits = {one["incident"]: [hit(one, addresses, finding) for finding in alerts] for one in incidents}
    others = sum(not any(row[k] for row in hits.values()) for k in range(len(alerts)))
    return Seen(name, frozenset(str(one) for one, row in hits.items() if any(row)), others)


def hit(incident: dict, addresses: dict[str, set[str]], finding: Finding) -> bool:
    if finding.analytic != incident["analytic"]:
        return False
    if finding.device not in {incident["device"], *addresses.get(incident["device"], set())}:
        return False
    if finding.uid is not None and finding.uid != incident["uid"]:
        return False
    return finding.peer is None or any(same(finding.peer, peer) for peer in incident["peers"])


def same(peer: str, told: str) -> bool:
    """Whether a finding's peer is that of the truth, which may be named in full."""
    host = told.rpartition(":")[0] if told.count(":") == 1 else told
    return peer == host or host.endswith("." + peer) or peer.endswith("." + host)


def device_addresses(recording: Path) -> dict[str, set[str]]:
    sockets = pq.read_table(recording / "telemetry" / "sockets.parquet", columns=["device", "local_address"])
    found: dict[str, set[str]] = {}
    for row in sockets.group_by(["device", "local_address"]).aggregate([]).to_pylist():
        found.setdefault(row["device"], set()).add(row["local_address"])
    return found


def viewed(recording: Path, name: str) -> Telemetry:
    """The recording through a view."""
    return view(name)(open_telemetry(recording / "telemetry"))
