"""A user's class behind the fence: its findings, and every way in which it can go wrong."""

from pathlib import Path

import pytest

from detector.contract import Telemetry, Unsupported, detector
from detector.fenced import Failed, Limits, running
from detector.foreign.user_class import UserClass


@pytest.fixture
def telemetry(made):
    made.polls([1.0, 2.0, 3.0])
    return made.telemetry()


@pytest.fixture
def one(written):
    def named(body: str, **more) -> UserClass:
        found = detector(f"python:{written(body, **more)}:Mine")
        assert isinstance(found, UserClass)
        return found

    return named


def test_findings_carry_the_name_and_version_by_which_it_was_asked_for(one, telemetry):
    mine = one("for _ in range(len(telemetry['flows'])): yield FOUND")
    found = list(mine.detect(telemetry))
    assert len(found) == 3
    assert {(each.detector, each.detector_version) for each in found} == {(mine.name, mine.version)}
    assert mine.version.startswith("3+")
    assert mine.needs == ("flows",)


def test_what_was_cut_makes_findings_partial(one, telemetry):
    cut = Telemetry(telemetry.tables, telemetry.span, partial="cut")
    assert [each.partial for each in one("yield FOUND").detect(cut)] == [True]


def test_other_sources_are_another_version(one):
    assert one("yield FOUND").version != one("return ()").version


def test_what_it_prints_is_no_finding(one, telemetry):
    body = "import os; print('hello'); os.write(1, b'{}'); os.system('echo more'); yield FOUND"
    assert len(list(one(body).detect(telemetry))) == 1


def test_it_may_import_the_module_beside_it(one, written, telemetry):
    written("return ()", before="HOW = 1\n", name="helper")
    assert len(list(one("if helper.HOW == 1: yield FOUND", before="import helper\n").detect(telemetry))) == 1


def test_what_it_judges_is_asked_with_the_telemetry(one, written, telemetry):
    assert one("return ()").judges(telemetry) == ("AN1793", "AN1702")
    path = written("return ()", name="chooser")
    with Path(path).open("a") as file:
        file.write("    def judges(self, telemetry): return ['AN1702'] if 'flows' in telemetry else []\n")
    assert detector(f"python:{path}:Mine").judges(telemetry) == ("AN1702",)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("raise RuntimeError('no idea')", "ended with code 1: .*RuntimeError: no idea"),
        ("import sys; yield FOUND; sys.exit(0)", "before it had said all"),
        ("import os; os._exit(0); yield", "before it had said all"),
        ("yield FOUND; import os; os.kill(os.getpid(), 9)", "ended with code 137"),
        ("yield {'score': 1}", "expected findings"),
        ("import dataclasses; yield dataclasses.replace(FOUND, score=float('nan'))", "ValueError"),
        ("import dataclasses; yield dataclasses.replace(FOUND, score=7.0)", "score: found 7.0, expected a number"),
        ("import dataclasses; yield dataclasses.replace(FOUND, device=None)", "device: found None"),
        ("def deep(n): return deep(n + 1)\ndeep(0); yield", "RecursionError"),
        ("x = b'x' * (8 << 30); yield", "MemoryError"),
    ],
)
def test_a_class_that_crashes_or_gives_junk_has_failed(one, telemetry, body, said):
    with pytest.raises(Failed, match=said):
        list(one(body).detect(telemetry))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("while True: pass", "longer than 2 s"),
        ("import os\nwhile True: print('x' * 100_000)", "stdout and stderr"),
        ("while True: yield FOUND", "stdout and stderr"),
        ("for _ in range(10_000_000): yield FOUND", "stdout and stderr"),
    ],
)
def test_a_class_without_end_has_failed(one, telemetry, body, said):
    from dataclasses import replace

    small = Limits(seconds=2.0 if "pass" in body else 120.0, output=2 << 20)
    with pytest.raises(Failed, match=said):
        list(replace(one(body), limits=small).detect(telemetry))


def test_one_that_cannot_use_the_telemetry_says_so(one, telemetry):
    with pytest.raises(Unsupported, match="no dns here"):
        list(one("raise Unsupported('no dns here')").detect(telemetry))
    with pytest.raises(Unsupported, match="no table 'http'"):
        list(one("telemetry['http']; yield").detect(telemetry))


@pytest.mark.parametrize("place", ["truth", "beside.json"])
def test_it_cannot_see_what_lies_beside_its_module(one, telemetry, tmp_path, place):
    if running.reach() != "all":
        pytest.skip("this kernel gives no whole fence")
    (tmp_path / "truth").mkdir()
    (tmp_path / "truth" / "incidents.parquet").write_text("the answer")
    (tmp_path / "beside.json").write_text("the answer")
    look = one(f"import os\nif os.path.exists({str(tmp_path / place)!r}): yield FOUND")
    assert list(look.detect(telemetry)) == []


def test_with_the_fence_off_it_sees_it(one, telemetry, tmp_path, monkeypatch):
    monkeypatch.setattr(running, "reach", lambda: "none")
    (tmp_path / "beside.json").write_text("the answer")
    look = one(f"import os\nif os.path.exists({str(tmp_path / 'beside.json')!r}): yield FOUND")
    assert len(list(look.detect(telemetry))) == 1


def test_a_module_that_raises_while_it_is_imported_has_failed(written):
    with pytest.raises(Failed, match="ZeroDivisionError"):
        detector(f"python:{written('return ()', before='1 / 0' + chr(10))}:Mine")
