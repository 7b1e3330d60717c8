"""What a cell is told."""

import json
import sys
from pathlib import Path

import pytest

import detector
from detector.fenced import Failed, Limits
from detector.fenced.order import Order


def test_the_interpreter_and_the_detector_can_be_read_but_not_the_rest_of_the_checkout(tmp_path):
    told = json.loads(Order([sys.executable, "-c", ""], tmp_path, "all").to_json())
    assert {sys.prefix, sys.base_prefix, sys.executable} <= set(told["reads"])
    own = Path(next(iter(detector.__path__)))
    assert str(own) in told["reads"]
    assert str(own.parent) not in told["reads"]


def test_what_is_wished_for_is_told_with_whole_paths(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    limits = Limits(cpu_seconds=3, memory=5, output=7)
    order = Order(["sh", "-c", "true"], Path(), "none", [Path("rules")], limits, {"A": "b", "TZ": "CET"})
    told = json.loads(order.to_json())
    assert told["folder"] == told["environment"]["TMPDIR"] == str(tmp_path.resolve())
    assert told["command"][0].endswith("/sh")
    assert str(tmp_path / "rules") in told["reads"]
    assert (told["cpu_seconds"], told["memory"], told["output"], told["processes"]) == (3, 5, 7, 512)
    assert (told["environment"]["A"], told["environment"]["TZ"]) == ("b", "CET")


def test_a_program_that_is_not_there_has_failed(tmp_path):
    with pytest.raises(Failed, match="no-such-program: not found, expected a program on the PATH"):
        Order(["no-such-program"], tmp_path, "all").to_json()
