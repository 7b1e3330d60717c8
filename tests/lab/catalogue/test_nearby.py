"""A twin is found on the shelf and in the folder of its author, and one of nothing is told whatever else is wrong."""

from __future__ import annotations

import pytest

from lab.catalogue.nearby import around, imitated, imitators, lost_twins
from lab.scenario import find_scenario
from lab.shelf import shelf


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "my-poll.toml").write_text(find_scenario("smoke-poll").read_text())
    twin = find_scenario("smoke-checkin").read_text().replace('twin_of = "smoke-poll"', 'twin_of = "my-poll"')
    (tmp_path / "my-checkin.toml").write_text(twin)
    return tmp_path


def test_files_beside_are_meant_and_bundled_ones_stay(folder):
    known = around([folder / "my-poll.toml"])
    assert known["my-checkin"] == folder / "my-checkin.toml"
    assert known["smoke-poll"] == shelf()["smoke-poll"]
    found = imitators(known)
    assert (found["my-poll"], found["smoke-poll"]) == (["my-checkin"], ["smoke-checkin"])


def test_of_bundled_files_nothing_else_is_meant():
    assert around([shelf()["smoke-poll"]]) == shelf()


@pytest.mark.parametrize("text", ["twin_of = ", "twin_of = 3", "question = 'Is it?'", ""])
def test_what_names_no_twin_imitates_nothing(tmp_path, text):
    (tmp_path / "x.toml").write_text(text)
    assert imitated(tmp_path / "x.toml") == ""
    assert imitated(tmp_path / "absent.toml") == ""


def test_a_twin_of_nothing_is_told_in_a_broken_file_too(tmp_path):
    path = tmp_path / "x.toml"
    path.write_text('twin_of = "smoke-pol"\nspan = 3\n')
    (fault,) = lost_twins([path], around([path]))
    assert fault.startswith("x.toml: twin_of: there is no such scenario as 'smoke-pol'; did you mean 'smoke-poll'")
