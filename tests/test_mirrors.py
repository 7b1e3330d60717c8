"""Tests mirror sources (STYLE 16), and sources keep their size: files and functions small enough to read."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted(path for folder in ("lab", "detector") for path in (ROOT / folder).rglob("*.py"))
# folders whose files are proved by contract tests over whatever is on disk
BY_CONTRACT = ("lab/behaviours/", "detector/features/", "detector/adapters/", "lab/protocols/")
MAX_FILE, MAX_FUNCTION = 300, 40


def needs_mirror(relative: str) -> bool:
    return not relative.endswith("__init__.py") and not relative.startswith(BY_CONTRACT)


@pytest.mark.parametrize(
    "relative", [str(p.relative_to(ROOT)) for p in SOURCES if needs_mirror(str(p.relative_to(ROOT)))]
)
def test_source_has_a_test_of_its_name(relative):
    path = Path(relative)
    assert (ROOT / "tests" / path.parent / f"test_{path.name}").exists()


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_source_keeps_its_size(path):
    text = path.read_text()
    assert text.count("\n") <= MAX_FILE
    functions = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    too_long = {n.name: n.end_lineno - n.lineno + 1 for n in functions if n.end_lineno - n.lineno + 1 > MAX_FUNCTION}
    # the command line states its options, which are no logic
    assert {name: lines for name, lines in too_long.items() if not path.name.startswith("cli")} == {}


def test_sources_were_found():
    assert len(SOURCES) > 20
