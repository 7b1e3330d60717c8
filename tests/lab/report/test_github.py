"""Workflow commands: one line each, the gravest first, and none that was planted."""

import re

import pytest

from lab.report.github import commands

LINE = re.compile(r"::(error|warning|notice) (file=[^,:\n]+,line=\d+,)?title=[^,:\n]*::[^\n]*")


def lines(exports, card, places=None):
    return commands(card, exports.cases(card), places or {}).decode().removesuffix("\n").split("\n")


def test_levels(exports):
    found = lines(exports, exports.card())
    assert all(LINE.fullmatch(line) for line in found)
    levels = [line.split(" ")[0] for line in found]
    assert [levels.count(f"::{level}") for level in ("error", "warning", "notice")] == [4, 2, 1]


def test_the_gravest_come_first(exports):
    levels = [line.split(" ")[0] for line in lines(exports, exports.card())]
    assert levels == [*["::error"] * 4, *["::warning"] * 2, "::notice"]


def test_a_missed_incident_is_named_with_its_command_and_rules(exports):
    found = lines(exports, exports.card(), {("specimen", "AN1793"): ("rules/a,b.toml", 7)})
    missed = next(line for line in found if "missed" in line)
    assert missed.startswith(
        "::warning file=rules/a%2Cb.toml,line=7,title=missed%3A phone-01/com.example.torch/http-poll::"
    )
    assert missed.endswith(
        "Again: droidrange run specimen-00 --seed 1 --stage flows --detector specimen --view full "
        "-o out/again/specimen-00-s1"
    )


def test_false_alarms_are_counted_by_app(exports):
    assert lines(exports, exports.card())[-1] == (
        "::notice title=false alarms%3A com.example.news::specimen, full: 1 of AN1793 from com.example.news"
    )


def test_blind_spots_are_notices(exports):
    card = exports.card()
    for row in card["incidents"]:
        row["verdict"], row["time_to_detect_s"] = "missed", None
    spot = {"detector": "specimen", "view": "full", "analytic": "AN1793", "behaviour": "http-poll", "why": "missed"}
    card["blind_spots"] = [{**spot, "reason": "", "incidents": 9, "unseen": 0, "unsupported_incidents": 1}]
    told = "::notice title=blind spot%3A AN1793 http-poll::specimen, full: all 10 missed"
    assert told in lines(exports, card)


def test_a_clean_run_has_nothing_to_say(exports):
    clean = exports.clean()
    assert commands(clean, exports.cases(clean), {}) == b""


def test_hostile_text_plants_no_command(exports):
    count = len(lines(exports, exports.card()))
    for text in exports.texts:
        found = lines(exports, exports.card(text))
        assert len(found) == count
        assert all(LINE.fullmatch(line) for line in found)
        assert not any("##[" in line for line in found)


@pytest.mark.parametrize("text", ["x\n::error::planted", "a,line=1::b"])
def test_unescaped_it_would(text):
    assert not LINE.fullmatch(f"::warning title={text}::message")
