"""What the argument of ``python:`` may be."""

import pytest

from detector.contract import detector

MODULE = """
from dataclasses import dataclass


@dataclass
class Mine:
    least: float = 5
    name: str = "mine"
    needs: tuple = ()

    @property
    def version(self):
        return f"least {self.least}"

    def detect(self, telemetry):
        return ()
"""


def test_numbers_behind_the_question_mark_make_the_class(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    assert detector("python:mine:Mine").version.startswith("least 5+")
    assert detector("python:mine.py:Mine?least=9").version.startswith("least 9+")
    assert detector("python:mine.py:Mine?least=9").name == "python:mine.py:Mine?least=9"


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("", "found '', expected python:MODULE:CLASS"),
        ("mine", "expected python:MODULE:CLASS"),
        (":Mine", "expected python:MODULE:CLASS"),
        ("mine:", "expected python:MODULE:CLASS"),
        ("absent:Mine", "found no module 'absent'"),
        ("mine:Other", "has no class Other; it has Mine"),
        ("mine:Mine?most=9", "unexpected keyword argument 'most'"),
        ("mine:Mine?least=x", "expected ?NAME=NUMBER"),
    ],
)
def test_a_wrong_argument_is_told(tmp_path, monkeypatch, argument, said):
    (tmp_path / "mine.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(LookupError) as fault:
        detector(f"python:{argument}")
    assert said in str(fault.value)
