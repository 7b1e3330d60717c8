"""Users' modules as files."""

from __future__ import annotations

import textwrap

import pytest

HEAD = """
from detector.contract import Finding, Unsupported


class Mine:
    name, version, needs = "mine", "3", ("flows",)

    def detect(self, telemetry):
"""
FOUND = 'Finding("AN1793", "phone-01", None, None, "x.example", 1, 2, 2, 0.5, True, "low", "mine", "3")'


@pytest.fixture
def written(tmp_path):
    """Writes a module with class Mine, whose method ``detect`` has this body, and gives its path."""

    def made(body: str, *, before: str = "", name: str = "mine") -> str:
        path = tmp_path / f"{name}.py"
        path.write_text(before + HEAD + textwrap.indent(textwrap.dedent(body).replace("FOUND", FOUND), " " * 8) + "\n")
        return str(path)

    return made
