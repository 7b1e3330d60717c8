import json
from pathlib import Path

import pytest

from detector.contract import Finding, Reason, Unsupported
from lab import detection
from lab.errors import EvidenceError

FINDING = Finding(
    "AN1793",
    "10.0.0.1",
    None,
    None,
    "evil\x1b[2J.test",
    1,
    2,
    3,
    0.9,
    True,
    "high",
    "x",
    "1",
    (Reason("f", 1.0, "e", 1.0, "t"),),
)


def quiet(_done, _total):
    pass


def test_a_row_is_one_json_line_with_its_input():
    line = detection.Row("a.pcap", FINDING).line()
    assert json.loads(line)["input"] == "a.pcap"
    assert Finding.from_json(json.loads(line)) == FINDING


def test_hostile_names_do_not_steer_the_terminal(capsys):
    detection.print_findings([detection.Row("a.pcap", FINDING)])
    shown = capsys.readouterr().out
    assert "\x1b[2J" not in shown
    assert "ALERT" in shown


def test_no_finding_is_said(capsys):
    detection.print_findings([])
    assert "no finding" in capsys.readouterr().out


def test_an_absent_input_is_named():
    with pytest.raises(FileNotFoundError, match="absent"):
        detection.read(Path("absent.pcap"), allow_partial=False, advance=quiet)


def test_a_folder_that_is_no_recording_is_refused(tmp_path):
    (tmp_path / "telemetry").mkdir()
    with pytest.raises(EvidenceError, match=r"recording\.json"):
        detection.read(tmp_path, allow_partial=False, advance=quiet)


def test_an_unknown_detector_or_view_is_refused_before_anything_is_read():
    with pytest.raises(LookupError, match="known are"):
        detection.detect_paths([Path("absent.pcap")], ["nonesuch"], "full", allow_partial=False, advance=quiet)
    with pytest.raises(LookupError, match="known are"):
        detection.detect_paths([Path("absent.pcap")], ["silent"], "nonesuch", allow_partial=False, advance=quiet)
    assert issubclass(Unsupported, LookupError)
