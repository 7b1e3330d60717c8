"""Whoever writes a scenario can see every kind and protocol, with all that can be set."""

from __future__ import annotations

import ast
import dataclasses

import pytest

from lab.authoring.kinds import behaviour_class, behaviour_names, protocol_names
from lab.authoring.settings import seconds, settings_of
from lab.behaviours import setting
from lab.catalogue.kind_sheet import (
    _options,
    behaviour_rows,
    behaviour_sheet,
    duration,
    protocol_rows,
    protocol_sheet,
    range_of,
    setting_rows,
    written,
)


@pytest.fixture(scope="module")
def kinds():
    return behaviour_rows()


@pytest.fixture(scope="module")
def protocols():
    return protocol_rows()


def test_all_kinds_are_listed_with_what_they_are_and_speak(kinds):
    assert [row["kind"] for row in kinds] == behaviour_names()
    assert all(row["summary"].endswith(".") and row["protocols"] for row in kinds)
    poll = next(row for row in kinds if row["kind"] == "http-poll")
    assert poll["uses"]["labelled"] > 1
    assert next(row for row in kinds if row["kind"] == "web-browsing")["uses"]["library"] > 1


def test_every_kind_is_used_by_somebody(kinds):
    assert [row["kind"] for row in kinds if not sum(row["uses"].values())] == []


@pytest.mark.parametrize("kind", behaviour_names())
def test_every_setting_is_described_and_its_default_can_be_written(kind):
    made = behaviour_class(kind)
    rows = setting_rows(made)
    assert [row["name"] for row in rows] == [one.name for one in dataclasses.fields(made)]
    for row in rows:
        number = isinstance(row["default"], (int, float)) and not isinstance(row["default"], bool)
        assert not number or (row["minimum"] is not None and row["maximum"] is not None), "a number has a range"
        assert row["source"] or range_of(row) != "-", "a setting says what it may be or where it comes from"
    default = {
        row["name"]: written(row["default"], "s") if row["unit"] == "s" else row["default"]
        for row in rows
        if row["default"] is not None
    }
    values, faults = settings_of(made, default)
    assert faults == []
    assert values == {row["name"]: row["default"] for row in rows if row["name"] in default}


def test_a_sheet_says_who_uses_the_kind():
    sheet = behaviour_sheet("socks-relay")
    assert "socks-relay" in sheet["used_by"]["labelled"]
    assert {"name", "default", "unit", "minimum", "maximum", "choices", "source"} == set(sheet["settings"][0])


def test_unknown_names_answer_with_the_known():
    with pytest.raises(LookupError, match="did you mean 'http-poll'"):
        behaviour_sheet("http-pol")
    with pytest.raises(LookupError, match="did you mean 'socks5'"):
        protocol_sheet("sock5")


def test_all_protocols_are_listed(protocols):
    assert [row["protocol"] for row in protocols] == protocol_names()
    assert "tls" not in protocol_names()
    assert all(row["summary"].endswith(".") and row["transport"] in ("tcp", "udp") for row in protocols)
    assert next(row for row in protocols if row["protocol"] == "http")["scenarios"] > 1


def test_options_are_read_off_the_source():
    assert {"target", "user", "password"} <= set(protocol_sheet("socks5")["options"])
    text = 'a = dialogue.options.get("x", "1")\nb = options["y"]\nc = {}.get("z")\nd = (options.get(k) for k in ("v", "w"))'
    assert sorted(_options(ast.parse(text))) == ["v", "w", "x", "y"]


@pytest.mark.parametrize("value_s", [0.0, 0.05, 1.0, 39.0, 90.0, 300.0, 5400.0, 86_400.0, 31.5])
def test_a_duration_is_read_back_as_it_is_written(value_s):
    assert seconds(duration(value_s)) == pytest.approx(value_s)


def test_ranges_in_words():
    @dataclasses.dataclass(frozen=True)
    class Some:
        period: float = setting(300.0, unit="s", minimum=1, maximum=3600)
        size: int = setting(5, unit="B", minimum=1)
        law: str = setting("a", choices=("a", "b"))
        tls: bool = setting(default=True)
        word: str = setting("")

    assert [range_of(row) for row in setting_rows(Some)] == ["1s to 1h", "1 to  B", "a | b", "true | false", "-"]
