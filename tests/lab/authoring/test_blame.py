"""What an author's file does wrong is told with file and line, and as the author's, whoever meets it."""

from __future__ import annotations

import importlib
import sys

import numpy as np
import pytest

import lab.behaviours
from lab.authoring import kinds
from lab.authoring.blame import authored, plan_of, told
from lab.authoring.kinds import behaviour_class
from lab.catalogue.kind_sheet import behaviour_rows
from lab.errors import ScenarioError
from lab.scenario import parse_scenario

BROKEN = """from dataclasses import dataclass


@dataclass(frozen=True)
class Behaviour:
    wrong: bool = True

    def plan(self, rng, window):
        return {what}
"""


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Puts a file among the behaviours, as an author does."""
    folder = tmp_path / "lab" / "behaviours"
    folder.mkdir(parents=True)
    monkeypatch.setattr(lab.behaviours, "__path__", [*lab.behaviours.__path__, str(folder)])
    monkeypatch.setattr(kinds, "BEHAVIOURS", folder)

    def write(text):
        (folder / "broken_here.py").write_text(text)
        monkeypatch.delitem(sys.modules, "lab.behaviours.broken_here", raising=False)
        importlib.invalidate_caches()

    yield write
    sys.modules.pop("lab.behaviours.broken_here", None)


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ("1 / 0", "lab/behaviours/broken_here.py, line 9: ZeroDivisionError: division by zero"),
        ("np.zeros(3)", "lab/behaviours/broken_here.py, line 9: NameError: name 'np' is not defined"),
        ("None", "lab/behaviours/broken_here.py: plan: found NoneType, expected a Batch"),
    ],
)
def test_a_plan_that_fails_is_told_with_its_line(written, what, expected):
    written(BROKEN.format(what=what))
    with pytest.raises(ScenarioError) as wrong:
        plan_of(behaviour_class("broken-here")(), np.random.default_rng(1), None)
    assert wrong.value.faults == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x = 1\ndef (:\n", "lab/behaviours/broken_here.py, line 2: SyntaxError: "),
        ("import numby\n", "lab/behaviours/broken_here.py, line 1: ModuleNotFoundError: No module named 'numby'"),
        ("x = 1\n", "lab/behaviours/broken_here.py: found no dataclass named Behaviour"),
        ("class Behaviour:\n    pass\n", "lab/behaviours/broken_here.py: found no dataclass named Behaviour"),
    ],
)
def test_a_file_that_does_not_load_is_the_authors_fault(written, text, expected):
    written(text)
    with pytest.raises(ScenarioError) as wrong:
        behaviour_rows()
    assert len(wrong.value.faults) == 1
    assert wrong.value.faults[0].startswith(expected)


def test_a_broken_kind_is_told_once_however_many_scenarios_use_it(written):
    written("def (:\n")
    text = 'question = "Is it?"\nspan = "1h"\ndevices = 1\n[[app]]\npackage = "com.a"\ncategory = "tools"\n'
    text += '[[app.behaviour]]\nkind = "broken-here"\n'
    found = set()
    for name in ("one", "two"):
        with pytest.raises(ScenarioError) as wrong:
            parse_scenario(text.encode(), name=name, place=f"{name}.toml")
        found |= set(wrong.value.faults)
    assert found == {"lab/behaviours/broken_here.py, line 1: SyntaxError: invalid syntax"}


def test_what_no_author_wrote_is_not_the_authors():
    with pytest.raises(ZeroDivisionError) as wrong:
        _ = 1 / 0
    assert authored(wrong.value) == ""
    assert told(wrong.value).endswith("ZeroDivisionError: division by zero")
