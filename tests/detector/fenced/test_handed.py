"""Telemetry through a folder and back, and what of it is in the folder."""

import json
from dataclasses import replace

import pytest

from detector.contract import EvidenceError, Telemetry, learned
from detector.fenced import hand_over, handed
from detector.fenced.handed import PARTIAL


@pytest.fixture
def telemetry(made, tmp_path):
    made.polls([60.0, 120.0], name="x.example")
    capture = tmp_path / "secret-scenario-name.pcap"
    capture.write_bytes(b"packets")
    seen = made.telemetry()
    return Telemetry(seen.tables, seen.span, "no-app", capture, 4, f"{capture}: cut", {"fragments": 2})


def test_telemetry_comes_back_as_it_was(telemetry, tmp_path):
    hand_over(telemetry, tmp_path / "given")
    back = handed(tmp_path / "given")
    assert dict(back.tables) == dict(telemetry.tables)
    assert (back.span, back.view, back.packets, back.partial) == (telemetry.span, "no-app", 4, PARTIAL)
    assert back.outside == {"fragments": 2}
    assert back.capture.read_bytes() == b"packets"


def test_the_folder_holds_tables_capture_and_one_description(telemetry, tmp_path):
    hand_over(telemetry, tmp_path / "given")
    names = {f"{name}.parquet" for name in telemetry.tables} | {"capture.pcap", "telemetry.json"}
    assert {path.name for path in (tmp_path / "given").iterdir()} == names
    about = json.loads((tmp_path / "given" / "telemetry.json").read_text())
    assert about["tables"]["flows"] == 2
    assert about["schema_version"] == 1


def test_no_name_of_a_scenario_goes_along(telemetry, tmp_path):
    hand_over(telemetry, tmp_path / "given")
    assert all(b"secret-scenario" not in path.read_bytes() for path in (tmp_path / "given").iterdir())


def test_whole_evidence_is_said_to_be_whole(telemetry, tmp_path):
    hand_over(replace(telemetry, partial=None), tmp_path / "given")
    assert handed(tmp_path / "given").partial is None


def test_a_capture_is_a_copy_so_that_writing_to_it_changes_no_recording(telemetry, tmp_path):
    hand_over(telemetry, tmp_path / "given")
    (tmp_path / "given" / "capture.pcap").write_bytes(b"forged")
    assert telemetry.capture.read_bytes() == b"packets"


def test_a_folder_without_telemetry_is_no_evidence(tmp_path):
    with pytest.raises(EvidenceError, match="no telemetry was handed over"):
        handed(tmp_path)


def test_what_was_learned_goes_along(made, tmp_path):
    made.polls([60.0, 120.0], name="x.example", package="com.a", uid=10_001)
    seen = made.telemetry()
    hand_over(replace(seen, baseline=learned(seen)), tmp_path / "given")
    back = handed(tmp_path / "given").baseline
    assert back is not None
    assert back.summary() == learned(seen).summary()
