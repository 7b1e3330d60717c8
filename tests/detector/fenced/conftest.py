"""Small Python programs behind the fence, and the fence taken away."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from detector.fenced import Ended, Limits, run, running

SMALL = Limits(seconds=90.0, cpu_seconds=10, memory=1 << 29, output=4 << 20, processes=40)


@dataclass(frozen=True)
class Program:
    """Runs a text of Python with a folder of its own, under small limits."""

    folder: Path
    limits: Limits = SMALL

    def __call__(self, text: str, **more) -> Ended:
        return run([sys.executable, "-c", text], **{"folder": self.folder, "limits": self.limits} | more)


@pytest.fixture
def whole_fence():
    if running.reach() != "all":
        pytest.skip(f"this kernel gives no whole fence, only '{running.reach()}'")


@pytest.fixture
def no_fence(monkeypatch):
    """The negative control: limits, but no namespaces."""
    monkeypatch.setattr(running, "reach", lambda: "none")


@pytest.fixture
def program(tmp_path):
    folder = tmp_path / "cell"
    folder.mkdir()
    return Program(folder)
