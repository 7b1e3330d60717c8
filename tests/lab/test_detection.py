import json
from pathlib import Path

import pyarrow as pa
import pytest

from detector.contract import SCHEMAS, Finding, Reason, Telemetry, Unsupported
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


def rows(*inputs, **options):
    return detection.rows_of(detection.looks(*inputs, advance=quiet, **{"allow_partial": False, **options}))


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
        rows([Path("absent.pcap")], ["nonesuch"], "full")
    with pytest.raises(LookupError, match="known are"):
        rows([Path("absent.pcap")], ["silent"], "nonesuch")
    assert issubclass(Unsupported, LookupError)


@pytest.fixture
def seen(monkeypatch):
    """Telemetry of one device and app, whatever path is asked for."""
    row = dict.fromkeys(SCHEMAS["flows"].names)
    row |= {"flow": 0, "device": "phone-01", "uid": 10_001, "package": "com.example.agent", "inbound": False}
    row |= {"start": 0, "end": 1, "server": "198.18.0.9", "client": "10.88.0.2", "name": "vendor.example"}
    table = pa.Table.from_pylist([row], schema=SCHEMAS["flows"])
    monkeypatch.setattr(detection, "read", lambda *_, **__: Telemetry({"flows": table}, span=(0, 1)))


def test_exceptions_make_findings_of_any_detector_informational_and_say_so(seen, tmp_path, capsys):
    path = tmp_path / "known.toml"
    path.write_text(
        '[[exception]]\nowner = "Blue"\nreason = "r"\nexpires = 2027-01-01\ndestination = "vendor.example"\n'
    )
    plain = rows([Path("x")], ["always"], "full")
    found = rows([Path("x")], ["always"], "full", exceptions=path)
    assert [row.finding.alert for row in plain] == [True, True]
    assert {row.finding.analytic: row.finding.alert for row in found} == {"AN1793": False, "AN1702": True}
    assert "exceptions covered 1 of 2 findings" in capsys.readouterr().err
    detection.print_findings(found)
    shown = " ".join(capsys.readouterr().out.split())
    assert "documented exception 1: r (owner Blue, expires 2027-01-01)" in shown
    assert "excepted, informational: AN1793" in shown
    assert shown.endswith("1 alert, 0 near misses, 1 excepted")


def test_wrong_exceptions_are_refused_before_anything_is_read(tmp_path):
    with pytest.raises(LookupError, match="no readable file"):
        rows([Path("absent")], ["silent"], "full", exceptions=tmp_path / "no.toml")


def test_what_was_learned_stands_under_every_finding_whatever_it_weighs(capsys):
    strong = tuple(Reason(f"f{k}", 1.0, "e", 1.0, "t") for k in range(9))
    gate = Reason("baseline_gate", 0.0, "near 0", 1.0, "nobody else goes there")
    found = Finding(**{**vars(FINDING), "reasons": (*strong, gate, Reason("baseline", None, "e", 0.0, "none given"))})
    detection.print_findings([detection.Row("a.pcap", found)])
    shown = capsys.readouterr().out
    assert "baseline_gate 0 (near 0): nobody else goes there" in shown
    assert "none given" in shown
    assert "f8" not in shown
