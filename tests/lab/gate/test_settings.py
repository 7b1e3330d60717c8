"""Where thresholds come from, and every fault of them at once."""

import pytest

from lab.errors import ScenarioError
from lab.gate.settings import settings_for

GATE = """
alpha = 0.01
by = "bound"
detectors = ["builtin"]
views = ["full", "no-app"]
baseline = "accepted/core.json"
thresholds = ["polling.recall >= 0.9", "warn false_alarms_per_device_day <= 0.001"]
"""


def test_gate_toml(tmp_path):
    (tmp_path / "gate.toml").write_text(GATE)
    (tmp_path / "pyproject.toml").write_text("[tool.droidrange.gate]\nthresholds = []\n")
    found = settings_for(None, (), tmp_path)
    assert [one.text for one in found.thresholds] == [
        "polling.recall >= 0.9",
        "warn false_alarms_per_device_day <= 0.001",
    ]
    assert (found.alpha, found.by, found.detectors, found.views) == (0.01, "bound", ("builtin",), ("full", "no-app"))
    assert (found.baseline, found.source) == (tmp_path / "accepted/core.json", "gate.toml")


def test_pyproject_toml(tmp_path):
    path = tmp_path / "pyproject.toml"
    path.write_text("[project]\nname = 'x'\n")
    assert settings_for(None, (), tmp_path) is None
    path.write_text("[tool.droidrange.gate]\nthresholds = ['recall >= 0.5']\n")
    assert settings_for(None, (), tmp_path).thresholds[0].limit == 0.5
    assert settings_for(path, (), tmp_path / "elsewhere").source == "pyproject.toml"


def test_lines_by_hand_take_the_place_of_a_files(tmp_path):
    (tmp_path / "gate.toml").write_text(GATE)
    found = settings_for(None, ["recall >= 0.1"], tmp_path)
    assert ([one.text for one in found.thresholds], found.by, found.source) == (
        ["recall >= 0.1"],
        "bound",
        "--threshold",
    )
    assert settings_for(None, ["recall >= 0.1"], tmp_path / "empty").alpha == 0.05


def test_nothing_written_down_is_nothing(tmp_path):
    assert settings_for(None, (), tmp_path) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("thresholds = []", "found none"),
        ("alpha = 0.05", "found none"),
        ("thresholds = 'recall >= 0.5'", "expected a list of lines"),
        ("thresholds = [1]", "expected a line of text"),
        ("thresholds = ['recall >= 0.5', 'recall  >=  0.5']", "expected each line once"),
        ("thresholds = ['recall >= 0.5']\nalpha = nan", "alpha: found nan"),
        ("thresholds = ['recall >= 0.5']\nalpha = 5", "alpha: found 5"),
        ("thresholds = ['recall >= 0.5']\nby = 'mood'", "by: found 'mood'"),
        ("thresholds = ['recall >= 0.5']\nbaseline = 3", "baseline: found 3"),
        ("thresholds = ['recall >= 0.5']\nviews = 'full'", "views: found 'full'"),
        ("threshold = ['recall >= 0.5']", "did you mean 'thresholds'"),
        ("zzz = 1", "unknown key 'zzz'; known are alpha, by, detectors, views, baseline, thresholds"),
        ("thresholds = [", "not TOML"),
    ],
)
def test_faults(tmp_path, text, said):
    path = tmp_path / "gate.toml"
    path.write_text(text)
    with pytest.raises(ScenarioError, match=said):
        settings_for(path, (), tmp_path)


def test_all_faults_are_told_at_once(tmp_path):
    path = tmp_path / "gate.toml"
    path.write_text("alpha = 7.0\nthresholds = ['recal >= 1', 'recall >= 0.5', 'recall <= 0.5']\n")
    with pytest.raises(ScenarioError) as caught:
        settings_for(path, (), tmp_path)
    assert len(caught.value.faults) == 3
    assert "gate.toml, threshold 3" in caught.value.faults[-1]


def test_a_file_that_is_not_there_or_has_no_gate(tmp_path):
    with pytest.raises(FileNotFoundError):
        settings_for(tmp_path / "gate.toml", (), tmp_path)
    (tmp_path / "pyproject.toml").write_text("")
    with pytest.raises(ScenarioError, match="found no table"):
        settings_for(tmp_path / "pyproject.toml", (), tmp_path)
