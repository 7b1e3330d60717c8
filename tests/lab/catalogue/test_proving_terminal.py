"""The check on a terminal: a line for each promise, each failure by itself below, the sum last."""

from __future__ import annotations

import pytest

from lab.catalogue.proving import NO_PROMISE
from lab.catalogue.proving_terminal import print_checks


def proof(found, *, scenario="one", device="phone-01", seed=1, low=5, high=None):
    about = {"scenario": scenario, "seed": seed, "stage": "wire", "behaviour": "http-poll", "package": "com.a.b"}
    kept = found >= low and (high is None or found <= high)
    return about | {
        "device": device,
        "measure": "contacts",
        "found": found,
        "at_least": low,
        "at_most": high,
        "ok": kept,
    }


@pytest.fixture
def printed(capsys, monkeypatch):
    def shown(rows, width=160):
        monkeypatch.setenv("COLUMNS", str(width))
        print_checks(rows)
        return capsys.readouterr().out.splitlines()

    return shown


def test_a_promise_is_one_line_over_phones_and_seeds(printed):
    rows = [proof(found, device=f"phone-{k % 2}", seed=1 + k // 2, high=20) for k, found in enumerate((9, 7, 8, 12))]
    head, _, line, said = printed(rows)
    assert head.split() == ["scenario", "behaviour", "app", "found", "expected", "on"]
    assert " ".join(line.split()) == ("ok one http-poll com.a.b 7 to 12 contacts 5 to 20 2 phones, 2 seeds")
    assert said == "1 expectation, 0 failed; 1 scenario, 1 proved"


def test_a_promise_that_is_not_kept_everywhere_fails_and_says_where(printed):
    lines = printed([proof(9), proof(3, device="phone-02"), proof(8, scenario="two")])
    assert [line.split()[0] for line in lines[2:4]] == ["FAIL", "ok"]
    assert "2 phones, 1 of 2 fail" in lines[2]
    assert lines[4:] == [
        "FAIL  one (seed 1): http-poll of com.a.b on phone-02: found 3 contacts, expected at least 5",
        "2 expectations, 1 failed; 2 scenarios, 1 proved",
    ]


def test_what_did_not_play_and_what_promises_nothing_are_told_apart(printed):
    rows = [
        {"scenario": "broken", "seed": 1, "measure": "plays", "ok": False, "fault": "it broke", "exit": 3},
        {"scenario": "plain", "seed": 1, "measure": NO_PROMISE, "ok": True},
        {"scenario": "odd", "measure": "twin", "ok": True, "notice": "no benign scenario has it as its twin_of"},
    ]
    lines = printed(rows)
    assert lines[2].split() == ["FAIL", "broken", "not", "played"]
    assert lines[3].rstrip().endswith(NO_PROMISE)
    assert lines[4:] == [
        "note  odd: no benign scenario has it as its twin_of",
        "FAIL  broken (seed 1): it broke",
        "0 expectations, 0 failed; 2 scenarios, 1 proved, 1 not played",
    ]


def test_a_narrow_terminal_loses_no_word(printed):
    said = "".join("".join(printed([proof(9)], width=60)).split())
    assert "0failed" in said
    assert len([line for line in printed([proof(9)], width=60) if len(line) > 60]) == 0
