"""One look: what a detector is asked, handed and believed."""

import json
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from detector.contract import ANALYTICS, SCHEMAS, Reason, Telemetry, Unsupported
from lab.running import look as look_module
from lab.running.look import checked, judged, look, neutral
from lab.running.trial import Plan, run_suite
from lab.scenario import find_scenario, load_scenario

NOTHING = Telemetry({}, (0, 1), view="dns-only")


def asked(*told):
    return SimpleNamespace(name="mine", judges=lambda _telemetry: told)


def test_who_does_not_say_judges_all():
    assert judged(SimpleNamespace(name="mine"), NOTHING) == ANALYTICS


def test_what_it_judges_is_in_the_order_of_the_contract():
    assert judged(asked("AN1702", "AN1793"), NOTHING) == ANALYTICS
    assert judged(asked("AN1702"), NOTHING) == ("AN1702",)


def test_to_judge_nothing_is_unsupported_and_to_judge_the_unknown_a_fault():
    with pytest.raises(Unsupported, match="mine can judge no analytic on what view dns-only shows"):
        judged(asked(), NOTHING)
    with pytest.raises(ValueError, match="mine judges 'AN9': expected some of AN1793, AN1702"):
        judged(asked("AN9"), NOTHING)


def test_the_bundled_detector_cannot_see_relaying_in_lookups():
    dns = Telemetry({"dns": SCHEMAS["dns"].empty_table()}, (0, 1))
    flows = Telemetry({"flows": SCHEMAS["flows"].empty_table()}, (0, 1))
    assert look("builtin", "full", dns).judged == ("AN1793",)
    assert look("builtin", "full", flows).judged == ANALYTICS
    with pytest.raises(Unsupported, match="builtin"):
        look("builtin", "full", NOTHING)
    assert look("silent", "full", dns).judged == ANALYTICS


def test_checked_lines_are_findings(make):
    (line,) = checked([make.finding()])
    assert json.loads(line)["package"] == "com.example.torch"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"score": float("nan")}, "not JSON compliant"),
        ({"score": 1.5}, "expected a number from 0 to 1"),
        ({"analytic": "AN9"}, "expected one of"),
        ({"alert": 1}, "expected true or false"),
        ({"last_seen": 0}, "last_seen: found '1970-01-01T00:00:00.000000Z', expected no time before first_seen"),
        ({"decided_at": 1}, "decided_at: found '1970-01-01T00:00:00.000001Z', expected no time before first_seen"),
        ({"first_seen": 0.5}, "first_seen: found 0.5, expected whole microseconds"),
        ({"device": None}, "device: found None, expected text"),
        ({"uid": "10101"}, "uid: found '10101', expected a whole number or null"),
        ({"peer": 5}, "peer: found 5, expected text or null"),
        ({"severity": "critical"}, "severity: found 'critical', expected one of informational, low, medium, high"),
        ({"detector_version": 7}, "detector_version: found 7, expected text"),
        ({"reasons": (Reason("x", float("inf"), "", 0.0, ""),)}, "not JSON compliant"),
        ({"package": "\ud800"}, r"package: found '\ud800', expected text or null"),
    ],
)
def test_nonsense_findings_are_refused(make, changes, words):
    with pytest.raises(ValueError) as told:
        list(checked([make.finding(), make.finding(**changes)]))
    assert words in str(told.value)


@pytest.fixture
def run_with(monkeypatch):
    """``run_with(function, folder)``: a real run in which that function is the detector; the rows of its trials."""

    def run(function, folder, views=("full",)):
        one = SimpleNamespace(name="nosy", version="1", needs=(), detect=function)
        real = look_module.detector_named
        monkeypatch.setattr(look_module, "detector_named", lambda name: one if name == "builtin" else real(name))
        chosen = load_scenario(find_scenario("smoke-poll"))
        rows = run_suite(Plan("s", [chosen], (1,), views=views), folder, workers=1)
        return [row for row in rows if row["detector"] == "builtin"]

    return run


def nosy(telemetry, seen):
    """Everything the path of the capture gives away: its parents by name, and what stands beside and above it."""
    path = telemetry.capture
    for place in {path, path.resolve(), path.absolute()}:
        seen.append(place.as_posix())
        seen += [beside.as_posix() for beside in place.parent.iterdir()]
        seen += [(parent / "truth").as_posix() for parent in place.parents if (parent / "truth").exists()]
        seen += [other.as_posix() for other in place.parent.parent.glob("*/truth")]
    return []


@pytest.mark.parametrize("linked", [True, False])
def test_a_nosy_detector_learns_nothing_from_the_path(run_with, tmp_path, monkeypatch, linked):
    temporary, out, seen, bytes_seen = tmp_path / "t", tmp_path / "o", [], []
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    if not linked:
        monkeypatch.setattr("os.link", refused)

    def look_round(telemetry):
        bytes_seen.append(telemetry.capture.read_bytes())
        return nosy(telemetry, seen)

    assert [row["status"] for row in run_with(look_round, out)] == ["scored"]
    (where,) = out.glob("recordings/*/telemetry/capture.pcap")
    assert bytes_seen == [where.read_bytes()]
    assert {Path(one).name for one in seen} == {"capture.pcap"}
    assert not any(word in one for one in seen for word in ("smoke", "truth", "recordings"))
    assert list(temporary.iterdir()) == []  # nothing stays behind
    told = []
    nosy(Telemetry({}, (0, 1), capture=where), told)  # the control: the recording's own path tells both
    assert any("smoke-poll" in one for one in told)
    assert any(one.endswith("/truth") for one in told)


def refused(*_args):
    raise OSError(18, "Invalid cross-device link")


def test_each_trial_has_a_folder_of_its_own_and_a_crash_leaves_none(run_with, tmp_path, monkeypatch):
    temporary, seen = tmp_path / "t", []
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))

    def crash(telemetry):
        if telemetry.capture is None:
            raise ZeroDivisionError
        seen.append(telemetry.capture)
        telemetry.capture.with_name("note").write_text("for the next")
        raise ZeroDivisionError

    rows = run_with(crash, tmp_path / "o", views=("full", "no-app", "no-sni"))
    assert [row["status"] for row in rows] == ["failed"] * 3
    assert len({path.parent for path in seen}) == 2  # no-sni shows no capture at all
    assert list(temporary.iterdir()) == []


def test_telemetry_without_a_capture_stays_as_it_is():
    with neutral(NOTHING) as shown:
        assert shown is NOTHING


def test_a_capture_that_is_gone_is_an_error_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(FileNotFoundError), neutral(Telemetry({}, (0, 1), capture=tmp_path / "gone.pcap")):
        pass
    assert list(tmp_path.iterdir()) == []
