"""The key of a recording that may be used again: it covers every file whose change could make another recording."""

import ast
from pathlib import Path

import pytest

from lab.running.sources import sources, sources_sha256

ROOT = Path(__file__).parents[3]
APART = ("running", "report", "scoring", "catalogue")  # packages of lab that read recordings and make none
FILES = ("lab/stages/wire.py", "detector/capture/flows.py", "detector/contract.py", "detector/tables.py")


def named(path):
    """The modules a source imports, and what it takes from them, which may be modules too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))


def file_of(name):
    """The file of a module of the detector; None for what is no module of it."""
    if not name.startswith("detector."):
        return None
    path = ROOT.joinpath(*name.split("."))
    return next((one for one in (path.with_suffix(".py"), path / "__init__.py") if one.is_file()), None)


def test_whatever_makes_recordings_takes_nothing_of_the_detector_that_the_key_lacks():
    makers = [path for path in (ROOT / "lab").glob("*/**/*.py") if path.relative_to(ROOT / "lab").parts[0] not in APART]
    taken = {file for path in makers for name in named(path) if (file := file_of(name))}
    assert {ROOT / "detector/capture/flows.py", ROOT / "detector/contract.py"} <= taken
    assert taken - {*sources(ROOT)} == set()


def test_the_key_has_no_file_that_only_judges():
    names = {str(path.relative_to(ROOT)) for path in sources(ROOT)}
    assert {*FILES} <= names
    assert not [
        name for name in names if name.startswith(("detector/analytics", "lab/report/")) or "__pycache__" in name
    ]


@pytest.mark.parametrize("changed", [*FILES, "detector/analytics/x.py"])
def test_another_law_is_another_key(tmp_path, monkeypatch, changed):
    for name in (*FILES, "lab/running/sources.py", "detector/analytics/x.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("IDLE_US = 1\n")
    monkeypatch.setattr("lab.running.sources.__file__", str(tmp_path / "lab/running/sources.py"))
    before = sources_sha256.__wrapped__()
    assert before == sources_sha256.__wrapped__()
    (tmp_path / changed).write_text("IDLE_US = 2\n")
    assert (sources_sha256.__wrapped__() == before) is changed.startswith("detector/analytics")
