"""The shelf: suites and library apps are no scenarios; a file is called by where it lies; TOML faults have a line."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import shelf as shelf_module
from lab.errors import ScenarioError
from lab.shelf import by_name, parse_toml, place_of, scenarios_folder, shelf


def test_every_file_is_a_scenario_a_suite_or_an_app():
    files = {path.stem for path in scenarios_folder().glob("*/*.toml")}
    others = {path.stem for kind in ("suites", "apps") for path in (scenarios_folder() / kind).glob("*.toml")}
    assert files == {*shelf()} | others
    assert not {*shelf()} & {path.stem for path in (scenarios_folder() / "apps").glob("*.toml")}
    assert others


def test_two_files_of_one_name_do_not_hide_each_other(tmp_path, monkeypatch):
    for folder in ("benign", "polling", "suites"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "twice.toml").touch()
    monkeypatch.setattr(shelf_module, "scenarios_folder", lambda: tmp_path)
    with pytest.raises(
        ScenarioError, match=r"^scenario 'twice' is in two files, .*benign.* and .*polling.*: rename one$"
    ):
        shelf()
    once = tmp_path / "polling/twice.toml"
    assert by_name([once, once.parent / "../polling/twice.toml"]) == {"twice": once}


def test_a_file_is_called_from_its_shelf_on():
    assert place_of(Path("/a/b/scenarios/apps/x.toml")) == "scenarios/apps/x.toml"
    assert place_of(Path("/a/b/x.toml")) == "x.toml"


@pytest.mark.parametrize("content", [b"a = ", b"a = 1\na = 2", b"\xff"])
def test_what_is_no_toml_is_refused_with_its_file(content):
    with pytest.raises(ScenarioError, match=r"^here\.toml: not TOML: "):
        parse_toml(content, "here.toml")
    assert parse_toml(b"a = 1", "here.toml") == {"a": 1}
