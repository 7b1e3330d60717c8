"""The flows stage as a whole: what lands on disk, equal bytes, views, and parity with the wire stage."""

from __future__ import annotations

import dataclasses

import pytest

from detector.contract import Unsupported, detector, open_telemetry, view
from detector.measures import measured
from detector.parity import compared
from detector.thresholds import BUNDLED, load_thresholds
from detector.views import VIEWS
from lab.recording import open_recording, recording_hash
from lab.scenario import compile_scenario, find_scenario, load_scenario, load_suite
from lab.stages import play, stage_names, wishes_of

HOURS = 3_600_000_000
CORE = load_suite("core").scenarios
QUICK = ("https-poll-5m", "dns-poll-txt", "socks-relay", "websocket-presence")
TABLES = ("flows", "exchanges", "dns", "sockets", "device_state", "packages", "http")


def timeline_of(name, hours):
    scenario = load_scenario(find_scenario(name))
    return compile_scenario(dataclasses.replace(scenario, span=min(scenario.span, hours * HOURS)), 1)


def test_it_is_a_stage_without_wishes():
    assert "flows" in stage_names()
    assert wishes_of("flows") == ()


def test_a_recording_has_all_tables_and_no_capture(tiny, tmp_path):
    recording = open_recording(play("flows", tiny, tmp_path / "one"))
    assert recording.stage == "flows"
    names = {name.removeprefix("telemetry/").partition(".")[0] for name in recording.files if name[0] == "t"}
    assert names >= set(TABLES)
    assert "telemetry/capture.pcap" not in recording.files
    telemetry = open_telemetry(recording.telemetry)
    assert tuple(telemetry.tables) == tuple(name for name in telemetry.tables if name in TABLES)
    assert (telemetry.packets, telemetry.capture) == (None, None)
    assert recording.truth().incidents[0].incident == "phone-01/com.example.torchlight/http-poll"


def test_the_same_timeline_gives_the_same_bytes(tiny, tmp_path):
    one, two = (recording_hash(play("flows", tiny, tmp_path / name)) for name in ("one", "two"))
    assert one == two


def test_what_stands_there_is_kept(tiny, tmp_path):
    play("flows", tiny, tmp_path / "one")
    with pytest.raises(FileExistsError):
        play("flows", tiny, tmp_path / "one")
    play("flows", tiny, tmp_path / "one", replace=True)


@pytest.mark.parametrize("name", sorted(VIEWS))
def test_views_work_without_a_capture(name, tiny, tmp_path):
    telemetry = open_telemetry(open_recording(play("flows", tiny, tmp_path / "one")).telemetry)
    seen = view(name)(telemetry)
    assert seen.view in {name, "full"}
    assert seen.capture is None
    try:
        list(detector("builtin").detect(seen))
    except Unsupported:
        pytest.fail("the bundled detector needs tables only")


@pytest.fixture(scope="module")
def sides(tmp_path_factory):
    def recorded(name, hours):
        timeline, folder = timeline_of(name, hours), tmp_path_factory.mktemp("parity")
        return [open_telemetry(play(stage, timeline, folder / stage) / "telemetry") for stage in ("wire", "flows")]

    return recorded


def held(wire, flows):
    """Asserts that both stages show the same flows, and the same values and verdicts of every group."""
    for name in TABLES:
        assert flows[name].num_rows == wire[name].num_rows, name
    for name in ("server", "proto", "app_proto", "name", "name_from", "sni", "host", "uid", "package", "inbound"):
        assert flows["flows"][name].to_pylist() == wire["flows"][name].to_pylist(), name
    limits = load_thresholds(BUNDLED)
    pairs = compared(measured(wire, limits), measured(flows, limits))
    assert pairs
    for pair in pairs:
        assert None not in (pair.one, pair.other), pair.shown.key
        assert pair.same_verdict, pair.shown.key
        assert not pair.outside, (pair.shown.key, pair.outside)


@pytest.mark.parametrize("name", QUICK)
def test_four_hours_are_as_on_the_wire(name, sides):
    held(*sides(name, 4))


@pytest.mark.whole
@pytest.mark.parametrize("name", CORE)
def test_core_is_as_on_the_wire(name, sides):
    held(*sides(name, 10**6))


def test_another_timeline_is_told_apart(sides):
    with pytest.raises(AssertionError):
        held(sides("https-poll-5m", 2)[0], sides("https-checkin-5m", 2)[1])
