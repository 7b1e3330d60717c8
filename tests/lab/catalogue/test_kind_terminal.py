"""Lists and sheets of kinds and protocols on a narrow terminal."""

from __future__ import annotations

import pytest

from lab.catalogue.kind_sheet import behaviour_sheet, protocol_sheet
from lab.catalogue.kind_terminal import flowing, print_behaviour, print_behaviours, print_protocol, print_protocols

USES = {"labelled": 2, "benign": 1, "library": 0}


@pytest.fixture(autouse=True)
def _narrow(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")


def test_lists_have_every_name_and_summary(capsys):
    print_behaviours([{"kind": "http-poll", "summary": "An agent.", "uses": USES}])
    print_protocols([{"protocol": "ntp", "summary": "Clocks.", "transport": "udp", "scenarios": 4}])
    said = capsys.readouterr().out
    assert all(word in said for word in ("http-poll", "An agent.", "1 kind;", "ntp", "udp", "Clocks.", "1 protocol;"))


def test_a_kind_is_shown_with_every_setting(capsys):
    sheet = behaviour_sheet("http-poll")
    print_behaviour(sheet)
    said = capsys.readouterr().out
    assert all(f" {row['name']} " in said for row in sheet["settings"])
    assert "labelled in: " in said
    assert max(map(len, said.splitlines())) <= 80


def test_brackets_of_a_source_are_no_markup(capsys):
    row = {"name": "x", "default": 1, "unit": "", "minimum": 0, "maximum": 2, "choices": [], "source": "[red]kept"}
    print_behaviour({"kind": "k", "description": "d", "protocols": [], "settings": [row], "used_by": {}})
    assert "[red]kept" in capsys.readouterr().out


def test_brackets_of_a_summary_are_no_markup(capsys):
    print_behaviours([{"kind": "k", "summary": "An [/agent].", "uses": USES}])
    print_protocols([{"protocol": "p", "summary": "A [/frame].", "transport": "udp", "scenarios": 1}])
    said = capsys.readouterr().out
    assert "An [/agent]." in said
    assert "A [/frame]." in said


def test_a_protocol_is_shown_with_its_options(capsys):
    print_protocol(protocol_sheet("socks5"))
    assert "options: password, target, user" in capsys.readouterr().out


def test_paragraphs_stay_apart():
    assert flowing("a\nb\n\nc") == "a b\n\nc"
