"""The bundled detector on real captures: what their keepers say must alert does, what they call benign does not.

The captures stay outside the repository. Nothing was fitted to a single file: the misses below are named, not hidden.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest

from detector.contract import Finding, detector, open_telemetry

FOLDER = Path(__file__).parents[3] / "shared" / "data" / "captures"
pytestmark = [
    pytest.mark.captures,
    pytest.mark.skipif(
        not (FOLDER / "manifest.json").exists(), reason="the real captures are not beside this checkout"
    ),
]
MISSES = {
    "korving-dnstt-doh-chrome62": "DoH tunnel: 35 bursts, gaps spread as widely as their median; needs a list of DoH servers",
}


def entries() -> list[dict]:
    path = FOLDER / "manifest.json"
    known = json.loads(path.read_text())["entries"] if path.exists() else []
    return [entry for entry in known if capture_of(entry) is not None]


def capture_of(entry: dict) -> Path | None:
    files = [FOLDER / file["file"] for file in entry["files"]]
    return next((path for path in files if path.suffix in (".pcap", ".pcapng")), None)


def beacons() -> list:
    rows = []
    for entry in entries():
        wanted = entry["expected"].get("must_alert")
        if entry["category"].startswith(("beacon", "dns", "doh")) and isinstance(wanted, list):
            marks = [pytest.mark.xfail(reason=MISSES[entry["id"]])] if entry["id"] in MISSES else []
            rows += [pytest.param(entry, row, id=entry["id"], marks=marks) for row in wanted if row["contacts"] >= 10]
    return rows


def with_ids(kept: list[dict]):
    return pytest.mark.parametrize("entry", [pytest.param(entry, id=entry["id"]) for entry in kept])


def relays() -> list[dict]:
    return [entry for entry in entries() if entry["expected"].get("relay_host")]


def benign() -> list[dict]:
    verdicts = ("benign", "sanctioned_vpn_or_proxy_app", "sanctioned_remote_access")
    return [entry for entry in entries() if entry["expected"]["verdict"] in verdicts]


@cache
def findings(path: Path) -> tuple[Finding, ...]:
    return tuple(detector("builtin").detect(open_telemetry(path, allow_partial=True)))


@pytest.mark.parametrize(("entry", "row"), beacons())
def test_a_beacon_is_reported_with_its_period(entry, row):
    found = [f for f in findings(capture_of(entry)) if f.analytic == "AN1793" and f.alert and f.device == row["src"]]
    assert found
    address = row["dst"].split()[0]
    best = max(found, key=lambda finding: finding.score)
    period = next(reason for reason in best.reasons if reason.feature == "period_s")
    assert address in period.text or address == best.peer
    assert period.value == pytest.approx(row["period_s"], rel=0.05)


def test_the_period_of_the_curl_loop_can_be_checked_by_hand():
    path = FOLDER / "slips-test-cc-1" / "test-cc-capture-1.pcap"
    (finding,) = (f for f in findings(path) if f.alert)
    assert (finding.device, finding.peer) == ("147.32.80.37", "testing.com")
    assert "299 contacts with testing.com (141.193.213.21" in finding.reasons[0].text
    assert "median 2.20 s apart" in finding.reasons[0].text


@with_ids(relays())
def test_a_relay_is_reported_on_the_host_that_relays(entry):
    host, _, port = entry["expected"]["relay_host"].rpartition(":")
    host = host if port.isdigit() and host else entry["expected"]["relay_host"]
    found = [f for f in findings(capture_of(entry)) if f.analytic == "AN1702" and f.device == host]
    if entry["id"] == "zeek-wstunnel-ssh":
        assert found == [], "a tunnel within one host, encrypted: there is nothing to read, and nothing is claimed"
        return
    assert found
    outside = entry["id"] == "zeek-socks-ssl"  # a public proxy used from a private network is somebody else's machine
    assert [f.alert for f in found] == [not outside]


@pytest.mark.parametrize("name", ["arkime-socks5-reverse", "ndpi-http-connect"])
def test_a_granted_request_that_was_carried_out_is_high_where_no_role_explains_it(name):
    (path,) = (capture_of(entry) for entry in entries() if entry["id"] == name)
    assert [f.severity for f in findings(path) if f.analytic == "AN1702" and f.alert] == ["high"]


@with_ids([entry for entry in entries() if entry["expected"].get("client")])
def test_a_client_of_a_proxy_is_no_relay(entry):
    client = entry["expected"]["client"]
    assert [f for f in findings(capture_of(entry)) if f.analytic == "AN1702" and f.device == client and f.alert] == []


@with_ids(benign())
def test_benign_captures_raise_no_alert(entry):
    alerts = [(f.analytic, f.device, f.peer, f.score) for f in findings(capture_of(entry)) if f.alert]
    assert alerts == []


def test_there_were_captures_to_test():
    assert len(beacons()) >= 5
    assert len(relays()) >= 10
    assert len(benign()) >= 20
