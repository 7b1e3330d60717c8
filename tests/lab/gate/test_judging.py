"""A gate from its files: which settings, which baseline, and how long it takes."""

import json
import subprocess
import sys
import time

import pytest

from lab.errors import EvidenceError, ScenarioError
from lab.gate.judging import gate_of


@pytest.fixture
def stored(gates, tmp_path):
    path = tmp_path / "scorecard.json"
    path.write_text(json.dumps(gates.card(gates.trials())))
    return path


def test_defaults_where_nothing_is_written(stored, tmp_path):
    found = gate_of(stored, folder=tmp_path)
    assert found.defaults
    assert "no control" in found.outcome.verdicts[0].reason  # this run has none, so better than them means nothing
    assert found.outcome.exit_code == 3


def test_a_file_says_what_is_asked_and_against_what(stored, tmp_path):
    (tmp_path / "base.json").write_text(stored.read_text())
    (tmp_path / "gate.toml").write_text('baseline = "base.json"\nthresholds = ["recall no-loss"]\n')
    found = gate_of(stored, folder=tmp_path)
    assert (found.defaults, found.outcome.exit_code) == (False, 0)
    assert found.outcome.sources["baseline"] == str(tmp_path / "base.json")
    (tmp_path / "base.json").unlink()
    with pytest.raises(EvidenceError, match=r"base\.json: not found"):
        gate_of(stored, folder=tmp_path)
    assert gate_of(stored, baseline=stored, folder=tmp_path).outcome.exit_code == 0


def test_a_comparison_without_a_baseline_is_the_askers_fault(stored, tmp_path):
    lines = ["recall no-loss", "patch recall >= 0.5", "recall >= 0.5", "off recall no-regression"]
    with pytest.raises(ScenarioError) as caught:
        gate_of(stored, thresholds=lines, folder=tmp_path)
    assert len(caught.value.faults) == 2


def test_a_stored_scorecard_is_judged_within_a_second(gates, tmp_path):
    path = tmp_path / "scorecard.json"
    path.write_text(json.dumps(gates.card([one for seed in range(1, 31) for one in gates.trials(seed)])))
    lines = ["recall no-loss", "recall no-regression", "false_alarms no-regression", "time_to_detect_p90 no-regression"]
    began = time.process_time()
    assert gate_of(path, baseline=path, thresholds=lines, folder=tmp_path).outcome.exit_code == 0
    assert time.process_time() - began <= 1.0


def test_a_stored_scorecard_needs_nothing_that_makes_one(stored):
    """Loading it would cost more than judging: of a second, pyarrow alone takes a tenth."""
    script = (
        "import sys; from pathlib import Path; from lab.cli import app; from lab.gate.judging import gate_of;"
        "from lab.gate.words import lines; found = gate_of(Path(sys.argv[1]), baseline=Path(sys.argv[1]));"
        "print(len(lines(found.outcome)), *sorted({'pyarrow', 'scapy', 'pydantic', 'rich', 'lab.truth'} & {*sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", script, str(stored)], capture_output=True, text=True, check=True)
    said, *loaded = done.stdout.split()
    assert int(said) > 0
    assert loaded == []
