"""The bundled detectors by name: arguments, controls, and telemetry they cannot run on."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import version

import numpy as np
import pyarrow as pa
import pytest

from detector.contract import ANALYTICS, Telemetry, Unsupported, detector, view
from detector.tables import SCHEMAS
from detector.thresholds import BUNDLED
from detector.views import VIEWS


def test_silent_never_finds_and_always_always_does(made):
    made.polls(np.arange(3.0), uid=10_001)
    made.polls(np.arange(3.0), uid=10_002)
    assert list(detector("silent").detect(made.telemetry())) == []
    found = list(detector("always").detect(made.telemetry()))
    assert [(finding.uid, finding.analytic) for finding in found] == [
        (u, a) for a in ANALYTICS for u in (10_001, 10_002)
    ]
    assert all((finding.peer is None) == (finding.analytic == "AN1702") for finding in found)
    assert all(finding.alert and finding.score == 1 for finding in found)


def test_always_knows_an_app_in_a_tunnel_by_its_sockets(made):
    made.polls(np.arange(3.0), uid=10_001)
    flowing = made.telemetry()
    rows = [
        {"time": 7, "device": "phone-01", "uid": uid, "event": event, "peer_address": peer}
        for uid, event, peer in (
            (10_001, "connect", "198.18.0.1"),  # has flows: known by those
            (10_009, "connect", "198.18.0.9"),
            (10_009, "close", "198.18.0.9"),
            (10_010, "listen", None),
        )
    ]
    tables = dict(flowing.tables)
    tables["sockets"] = pa.Table.from_pylist(rows, schema=SCHEMAS["sockets"])
    tables["packages"] = pa.Table.from_pylist(
        [{"device": "phone-01", "uid": 10_009, "package": "com.example.hidden"}], schema=SCHEMAS["packages"]
    )
    plain = list(detector("always").detect(flowing))
    found = list(detector("always").detect(replace(flowing, tables=tables)))
    more = [one for one in found if one.uid == 10_009]
    assert [(one.analytic, one.package, one.peer, one.first_seen) for one in more] == [
        ("AN1793", "com.example.hidden", "198.18.0.9", 7),
        ("AN1702", "com.example.hidden", None, 7),
    ]
    assert len(found) == len(plain) + len(more)


def test_rarity_only_knows_who_else_goes_there_and_since_when(made):
    for device in ("phone-01", "phone-02"):
        for uid in (10_001, 10_002):
            made.polls([0.0, 50_000.0], name="cdn.example", uid=uid, device=device)
    made.polls([0.0], name="old.example", uid=10_001, device="phone-01")
    made.polls([43_200.0], name="new.example", uid=10_002, device="phone-01")
    found = list(detector("rarity-only").detect(made.telemetry()))
    scores = {one.peer: round(one.score, 2) for one in found if one.analytic == "AN1793"}
    assert scores == {"old.example": 0.5, "new.example": 0.75}
    loud = {(one.device, one.uid) for one in found if one.analytic == "AN1702" and one.alert}
    assert loud == {("phone-01", 10_001), ("phone-01", 10_002)}
    end = made.telemetry().span[1]
    assert {one.decided_at for one in found} == {end}, "a whole fleet's shares are known at the end, not before"


def test_rarity_only_is_deaf_to_when(made):
    rng = np.random.default_rng(1)
    made.polls(np.append(0.0, 60.0 * np.arange(1, 90)), name="a.example", uid=10_001)
    made.polls(np.append(0.0, np.sort(rng.random(89)) * 5400), name="b.example", uid=10_002)
    found = [one for one in detector("rarity-only").detect(made.telemetry()) if one.analytic == "AN1793"]
    assert len({one.score for one in found}) == 1 < len(found)


def test_timing_only_hears_a_clock_in_flows_and_in_exchanges(made):
    rng = np.random.default_rng(1)
    made.polls(300.0 * np.arange(100), name="clock.example", uid=10_001)
    made.polls(np.cumsum(rng.exponential(300.0, 100)), name="rain.example", uid=10_002)
    socket = made.flow(5.0, lasts_s=30_000.0, name="socket.example", uid=10_003)
    for time in 300.0 * np.arange(1, 90):
        made.exchange(socket, float(time), 90, 120)
    found = list(detector("timing-only").detect(made.telemetry()))
    scores = {one.peer: one.score for one in found if one.analytic == "AN1793"}
    assert scores.get("rain.example", 0.0) < 0.5 < 0.9 < min(scores["clock.example"], scores["socket.example"])
    assert {one.uid for one in found if one.analytic == "AN1702" and one.alert} == {10_001, 10_003}


def test_timing_only_is_deaf_to_who(made):
    for name in ("a.example", "b.example"):
        made.polls(300.0 * np.arange(100), name=name, uid=10_001)
        made.polls(300.0 * np.arange(100), name="b.example", uid=10_002, device="phone-02")
    found = [one for one in detector("timing-only").detect(made.telemetry()) if one.analytic == "AN1793"]
    assert len({round(one.score, 6) for one in found}) == 1 < len(found)


@pytest.mark.parametrize("name", ["rarity-only", "timing-only"])
@pytest.mark.parametrize("sensor", [*VIEWS])
def test_a_control_that_knows_one_thing_works_under_every_view(made, name, sensor):
    made.polls(300.0 * np.arange(100), name="clock.example", uid=10_001, packets_up=900)
    for k in range(100):
        made.lookup(60.0 * k, f"{k:040x}.zone.example", qtype="TXT")
    narrowed = view(sensor)(made.telemetry())
    one = detector(name)
    assert one.judges(narrowed) == ANALYTICS
    assert {finding.analytic for finding in one.detect(narrowed)} == set(ANALYTICS)


@pytest.mark.parametrize(
    "name",
    ["silent:x", "always:x", "rarity-only:x", "timing-only:x", "builtin:nowhere.toml", "builtin:.", "builtin:\0"],
)
def test_a_wrong_argument_is_refused_in_one_line(name):
    with pytest.raises(LookupError, match=r"found .*expected") as fault:
        detector(name)
    assert not isinstance(fault.value, KeyError | IndexError), "these two mean a fault of ours, not of the caller"
    assert "\n" not in str(fault.value)


def test_a_malformed_thresholds_file_is_refused_with_all_its_faults(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("[AN1793]\nthreshold = 'high'\n[AN1702]\nperiod = 3\n")
    with pytest.raises(LookupError) as fault:
        detector(f"builtin:{path}")
    told = str(fault.value)
    assert not isinstance(fault.value, KeyError | IndexError)
    assert all(part in told for part in ("threshold: found 'high', expected float", "unknown key 'period'"))


def test_builtin_reads_other_thresholds(made, tmp_path):
    made.polls(300.0 * np.arange(200))
    path = tmp_path / "strict.toml"
    path.write_text(BUNDLED.read_text().replace("threshold = 0.6 ", "threshold = 0.99 ", 1))
    assert [finding.alert for finding in detector("builtin").detect(made.telemetry())] == [True]
    assert [finding.alert for finding in detector(f"builtin:{path}").detect(made.telemetry())] == [False]


def test_builtin_is_of_another_version_with_other_thresholds(tmp_path):
    path = tmp_path / "own.toml"
    path.write_bytes(BUNDLED.read_bytes())
    assert detector(f"builtin:{path}").version == detector("builtin").version, "the same numbers, elsewhere"
    path.write_bytes(BUNDLED.read_bytes().replace(b"evidence_scale = 8.0", b"evidence_scale = 9.0"))
    assert detector(f"builtin:{path}").version != detector("builtin").version
    assert detector("builtin").version.startswith(f"{version('droidrange')}+")


@pytest.mark.parametrize("name", ["builtin", "always", "rarity-only", "timing-only"])
def test_dns_alone_suffices_and_nothing_does_not(made, name):
    for k in range(100):
        made.lookup(60.0 * k, f"{k:040x}.zone.example", qtype="TXT")
    del made.rows["flows"]
    alerts = [finding for finding in detector(name).detect(made.telemetry()) if finding.alert]
    assert alerts[0].device == "10.88.0.2"
    with pytest.raises(Unsupported):
        list(detector(name).detect(Telemetry({}, span=(0, 1))))
