"""The worker by itself: what it answers, and with which code."""

import io
import json

import pytest

from detector.fenced import hand_over
from detector.foreign import worker

GOOD = "yield FOUND\nyield FOUND"


@pytest.fixture
def order(written, monkeypatch, tmp_path, made, request):
    def given(body: str, action: str = "detect", **more) -> dict:
        name = f"mine_{abs(hash((request.node.name, body, str(more))))}"
        before = more.pop("before", "")
        written(body, before=before, name=name)
        made.polls([1.0, 2.0])
        hand_over(made.telemetry(), tmp_path / "telemetry")
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.chdir(tmp_path)
        return {"action": action, "module": name, "class": "Mine", "settings": {}, "telemetry": "telemetry"} | more

    return given


def worked(order: dict) -> tuple[int, list[dict]]:
    out = io.BytesIO()
    code = worker.work(order, out)
    return code, [json.loads(line) for line in out.getvalue().splitlines()]


def test_findings_come_with_a_last_line_that_counts_them(order):
    code, lines = worked(order(GOOD))
    assert (code, len(lines), lines[-1]) == (0, 3, {"said": 2})
    assert lines[0]["peer"] == "x.example"


def test_it_sees_what_was_handed_over(order):
    code, lines = worked(order("if len(telemetry['flows']) == 2: yield FOUND"))
    assert (code, lines[-1]) == (0, {"said": 1})


def test_it_says_what_it_is(order):
    assert worked(order(GOOD, "about"))[1][0] == {
        "name": "mine",
        "version": "3",
        "needs": ["flows"],
        "judges": False,
        "knobs": [],
    }
    assert worked(order(GOOD, "judges"))[1][0] == ["AN1793", "AN1702"]


def test_unsupported_has_its_own_code(order, capsys):
    code, lines = worked(order("raise Unsupported('not for me')"))
    assert (code, lines) == (127, [])
    assert capsys.readouterr().err == "not for me\n"


def test_what_is_no_finding_is_refused(order):
    with pytest.raises(TypeError, match="detect gave 'alert', expected findings"):
        worked(order("yield 'alert'"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"class": "Other"}, "has no class Other; it has Mine"),
        ({"class": "Finding"}, "class Finding cannot be made"),
        ({"class": "Unsupported"}, "class Unsupported has no name, version, needs, detect"),
        ({"module": "absent_module"}, "cannot be imported"),
        ({"settings": {"least": 1}}, "class Mine cannot be made"),
        ({"before": "syntax error here\n"}, "line 1 of"),
        ({"before": "import absent_too\n"}, "ModuleNotFoundError: No module named 'absent_too'"),
    ],
)
def test_what_is_no_detector_is_told(order, capsys, change, said):
    assert worked(order(GOOD, "about", **change))[0] == 2
    assert said in capsys.readouterr().err


def test_needs_that_are_one_text_are_told(order, capsys, tmp_path):
    given = order(GOOD, "about")
    path = tmp_path / f"{given['module']}.py"
    path.write_text(path.read_text().replace('("flows",)', '"flows"'))
    assert worked(given)[0] == 2
    assert "needs: found 'flows', expected a tuple" in capsys.readouterr().err
