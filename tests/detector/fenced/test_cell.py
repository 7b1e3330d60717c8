"""The inner side, run as the script it is: what it answers when the cell cannot be built, and what it drops."""

import json
import os
import subprocess
import sys

from detector.fenced.order import Order
from detector.fenced.running import CELL


def answered(order: str) -> dict:
    (asleep, life), (status, told) = os.pipe(), os.pipe()
    call = [sys.executable, "-I", "-S", str(CELL), order, str(asleep), str(told)]
    subprocess.run(call, pass_fds=(asleep, told), check=True, capture_output=True, timeout=60)
    os.close(told)
    with os.fdopen(status) as lines:
        said = [json.loads(line) for line in lines]
    for pipe in (asleep, life):
        os.close(pipe)
    return said[0]


def test_it_tells_the_code_of_the_command(tmp_path):
    order = Order(["sh", "-c", "exit 3"], tmp_path, "none")
    assert answered(order.to_json()) == {"code": 3}


def test_it_tells_the_signal_of_the_command(tmp_path):
    assert answered(Order(["sh", "-c", "kill -9 $$"], tmp_path, "none").to_json()) == {"signal": 9}


def test_a_cell_that_cannot_be_built_says_why(tmp_path):
    order = json.loads(Order(["sh", "-c", "true"], tmp_path, "none").to_json())
    gone = json.dumps(order | {"folder": str(tmp_path / "gone")})
    assert "FileNotFoundError" in answered(gone)["broken"]


def test_it_needs_nothing_but_the_standard_library():
    text = CELL.read_text() + CELL.with_name("mounts.py").read_text()
    assert "from detector" not in text
    assert "import detector" not in text
