"""A folder of runs: which are found, in which order, and what is said of those that are no evidence."""

import json
import os

import pytest

from lab.comparing.history import found_in, history_of
from lab.errors import EvidenceError


@pytest.fixture
def folder(made, tmp_path):
    for number in (1, 2, 10):
        place = tmp_path / f"r{number}"
        place.mkdir()
        (place / "scorecard.json").write_text(json.dumps(made.content(lost=range(number))))
    (tmp_path / "gate.json").write_text('{"thresholds": []}')
    (tmp_path / "broken.json").write_text("{")
    return tmp_path


def test_runs_come_in_natural_order(folder):
    found = history_of(folder)
    assert [run.name for run in found.runs] == ["r1", "r2", "r10"]
    recall = next(one for one in found.series if one.metric == "recall")
    assert recall.values == pytest.approx((11 / 12, 10 / 12, 2 / 12))


def test_or_in_that_of_time(folder):
    for number, name in enumerate(("r10", "r1", "r2")):
        os.utime(folder / name / "scorecard.json", (1_000_000 + number, 1_000_000 + number))
    assert [run.name for run in history_of(folder, order="time").runs] == ["r10", "r1", "r2"]
    with pytest.raises(LookupError, match="known are name, time"):
        history_of(folder, order="size")


def test_what_is_found(folder, made):
    (folder / "accepted.json").write_text(json.dumps(made.content()))
    deep = folder / "ci" / "main"
    deep.mkdir(parents=True)
    (deep / "scorecard.json").write_text(json.dumps(made.content()))
    names = [path.relative_to(folder).as_posix() for path in found_in(folder)]
    assert sorted(names) == [
        "accepted.json",
        "ci/main/scorecard.json",
        "r1/scorecard.json",
        "r10/scorecard.json",
        "r2/scorecard.json",
    ]
    assert len(found_in(folder / "r1")) == 1


def test_a_run_that_is_no_evidence_is_told(folder):
    path = folder / "r2" / "scorecard.json"
    path.write_text(path.read_text()[:-100])
    found = history_of(folder)
    assert [run.card is None for run in found.runs] == [False, True, False]
    assert "unreadable" in found.runs[1].fault
    (folder / "r10" / "scorecard.json").write_text("{}")
    assert "schema_version" in history_of(folder).runs[2].fault


def test_nothing_to_show_is_no_evidence(folder, tmp_path_factory):
    with pytest.raises(EvidenceError, match=r"no scorecard\.json in it"):
        history_of(tmp_path_factory.mktemp("empty"))
    with pytest.raises(EvidenceError, match="no run has nobody"):
        history_of(folder, detectors=["nobody"])
    for number in (1, 2, 10):
        (folder / f"r{number}" / "scorecard.json").write_text("[]")
    with pytest.raises(EvidenceError, match="none of 3 scorecards is evidence, such as r1: found list"):
        history_of(folder)
