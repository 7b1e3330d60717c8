"""One look: what a detector is asked, handed and believed."""

import json
from types import SimpleNamespace

import pytest

from detector.contract import ANALYTICS, Telemetry, Unsupported
from lab.look import checked, judged, look, neutral

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


def test_the_bundled_detector_cannot_see_relaying_in_lookups(make):
    from detector.contract import SCHEMAS

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


def test_telemetry_without_a_capture_stays_as_it_is():
    with neutral(NOTHING) as shown:
        assert shown is NOTHING


def test_a_capture_that_is_gone_is_an_error_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(FileNotFoundError), neutral(Telemetry({}, (0, 1), capture=tmp_path / "gone.pcap")):
        pass
    assert list(tmp_path.iterdir()) == []
