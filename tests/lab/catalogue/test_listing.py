"""The catalogue says of every scenario what is carried and who imitates it, and can be narrowed."""

from __future__ import annotations

import pytest

from lab.authoring import background
from lab.authoring.held_out import held_out
from lab.authoring.plans import TECHNIQUES
from lab.catalogue import listing as catalogue
from lab.catalogue.listing import Wanted, chosen
from lab.errors import ScenarioError
from lab.scenario import find_scenario, scenario_names


@pytest.fixture(scope="module")
def rows():
    return catalogue.catalogue()


def test_every_scenario_has_a_row(rows):
    assert [row["name"] for row in rows] == scenario_names()


def test_a_row_says_what_is_carried_and_who_imitates_it(rows):
    row = next(row for row in rows if row["name"] == "https-poll-5m")
    assert row["analytics"] == ["AN1793"]
    assert row["technique"] == ["T1437"]
    assert "http+tls" in row["protocols"]
    assert row["subject_protocols"] == ["http+tls"]
    assert "core" in row["suites"]
    assert "https-checkin-5m" in row["twins"]
    assert not row["background_apps"]


def test_twins_name_each_other(rows):
    named = {row["name"]: row for row in rows}
    for row in rows:
        assert all(row["name"] in named[twin]["twins"] for twin in row["twins"])
        assert row["technique"] == [TECHNIQUES[analytic] for analytic in row["analytics"]]
        assert set(row["subject_protocols"]) <= set(row["protocols"])


def test_held_out_are_the_scenarios_of_the_families(rows):
    assert {row["name"] for row in rows if row["held_out"]} == held_out()


@pytest.mark.parametrize(
    ("wanted", "holds"),
    [
        (Wanted(suite="core"), lambda row: "core" in row["suites"]),
        (Wanted(malicious=True), lambda row: bool(row["analytics"])),
        (Wanted(malicious=False), lambda row: not row["analytics"]),
        (Wanted(protocol="dns"), lambda row: "dns" in row["subject_protocols"]),
        (Wanted(protocol="http"), lambda row: {"http", "http+tls"} & set(row["subject_protocols"])),
    ],
)
def test_the_list_is_narrowed_to_what_holds(rows, wanted, holds):
    found = chosen(rows, wanted)
    left = [row for row in rows if row not in found]
    assert found
    assert left
    assert all(holds(row) for row in found)
    assert not any(holds(row) for row in left)


def test_an_analytic_brings_the_twins_of_its_scenarios(rows):
    names = {row["name"] for row in chosen(rows, Wanted(analytic="AN1702"))}
    assert {"socks-relay", "socks-volunteer"} <= names
    assert "https-poll-5m" not in names


@pytest.mark.parametrize("wanted", [Wanted(suite="cor"), Wanted(protocol="htpt"), Wanted(analytic="AN1")])
def test_an_unknown_filter_names_the_known(rows, wanted):
    with pytest.raises(ScenarioError, match=r"unknown .*; known are "):
        chosen(rows, wanted)


@pytest.mark.parametrize("columns", [80, 200])
def test_the_table_has_a_line_for_each_scenario(rows, columns, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", str(columns))
    some = chosen(rows, Wanted(suite="core"))
    catalogue.print_catalogue(some)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= columns
    assert all(sum(row["name"] in line.split() for line in lines) == 1 for row in some)
    if columns == 80:
        assert len(lines) <= len(some) + 4
    malicious = next(number for number, line in enumerate(lines) if line.startswith("socks-relay "))
    assert lines[malicious + 1].startswith("  socks-volunteer ")


def test_brackets_of_a_question_are_no_markup(rows, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "200")
    catalogue.print_catalogue([rows[0] | {"question": "Is [/b] or [red] seen?"}])
    assert "Is [/b] or [red] seen?" in capsys.readouterr().out


def test_a_template_is_never_written_over_a_file(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("kept")
    with pytest.raises(ScenarioError, match="exists"):
        catalogue.write_template("mine", path)
    assert path.read_text() == "kept"


def test_the_faults_of_all_files_are_said_at_once(monkeypatch, tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.toml").write_text('question = "no"')
    monkeypatch.setattr(catalogue, "shelf", lambda: {path.stem: path for path in tmp_path.iterdir()})
    with pytest.raises(ScenarioError) as wrong:
        catalogue.catalogue()
    assert {fault.split(":")[0] for fault in wrong.value.faults} >= {"a.toml", "b.toml"}


def test_a_broken_app_of_the_library_is_told_once(tmp_path, monkeypatch):
    broken = tmp_path / "broken-app.toml"
    broken.write_text('package = "com.broken.app"\ncategory = "tools"\npopularity = 3.0\n')
    names = ("agents-of-the-enterprise", "bridges-for-others", "browser-saving-data")
    monkeypatch.setattr(background, "_files", lambda: ((str(broken), 0, 0),))
    monkeypatch.setattr(catalogue, "shelf", lambda: {name: find_scenario(name) for name in names})
    monkeypatch.setattr(catalogue, "suite_names", list)
    monkeypatch.setattr(catalogue, "held_out", frozenset)
    with pytest.raises(ScenarioError) as wrong:
        catalogue.catalogue()
    assert [fault.split(": ")[:2] for fault in wrong.value.faults] == [
        ["broken-app.toml", "popularity"],
        ["broken-app.toml", "field 'behaviour' is missing"],
    ]
