"""The tables on a terminal."""

import io

import pytest
from rich.console import Console

from lab.report import ladder
from lab.report.terminal import WORST, print_scorecard
from lab.score import score
from lab.truth import Background


def printed(*trials):
    out = io.StringIO()
    print_scorecard(score(trials, suite="core", seeds=1, budget=0.001), Console(file=out, width=180))
    return out.getvalue()


def test_numbers_with_their_intervals(make):
    text = printed(make.trial(make.finding()), make.trial(detector="silent"))
    assert "100 % of 1" in text
    assert "21 to 100 %" in text
    assert "0 % of 1" in text
    assert "2 h" in text
    assert "no evidence" not in text


def test_failures_and_blind_spots_are_named(make):
    text = printed(make.trial(), make.trial(seed=2, status="failed", reason="IndexError: 7"))
    assert "failed: polling-plain, seed 2, builtin, view full: IndexError: 7" in text
    assert "blind spot: AN1793 http-poll under view full" in text
    assert "no evidence: 1 of 2 trials failed" in text


def test_long_lists_say_how_much_is_left_out(make):
    noise = [make.finding(package=f"com.example.app{n}") for n in range(WORST + 3)]
    assert "and 3 more apps with false alarms" in printed(make.trial(*noise))


def test_one_app_blamed_often_is_one_line(make):
    noise = [make.finding(package="com.example.news", peer=f"h{n}.example", score=n / 10) for n in range(9)]
    text = printed(make.trial(*noise))
    assert "AN1793 com.example.news (news), benign: 9 up to score 0.80 (builtin, full)" in text


def test_a_name_cannot_steer_the_terminal(make):
    text = printed(make.trial(make.finding(package="com.\x1b]0;x\x07[red]x[/red]\u202e")))
    assert not set(text) & set("\x1b\x07\u202e")
    assert "[red]x[/red]" in text


def test_what_cannot_be_judged_has_no_numbers(make):
    lines = printed(make.trial(make.finding(), judged=("AN1793",))).splitlines()
    (row,) = [line for line in lines if line.startswith("builtin,") and "AN1702" in line]
    assert row.split("AN1702")[1].strip() == "cannot judge"
    (told,) = [line for line in lines if line.startswith("builtin,") and "AN1793" in line]
    assert "cannot judge" not in told


def test_twins_that_the_inventory_tells_apart_are_named(make):
    def text(vouched):
        app = ("phone-01", "com.example.vpn")
        calm = make.truth(twin_of="polling-plain", packages={app: (1, "tools")}, vouched={app: vouched})
        return printed(make.trial(make.finding()), make.trial(scenario="sync", truth=calm))

    said = "told apart by inventory: AN1793 polling-plain and sync (role vpn; builtin, AUC 1.00 under view full)"
    assert said in text(("role vpn",))
    assert "told apart" not in text(())


@pytest.mark.parametrize("name", ["silent", "always", "builtin"])
def test_twins_that_score_alike_are_not_told_apart_by_anything(make, name, monkeypatch):
    app = ("phone-01", "com.example.vpn")
    calm = make.truth(twin_of="polling-plain", packages={app: (1, "tools")}, vouched={app: ("role vpn",)})
    heard = [make.finding(detector=name)] if name != "silent" else []
    noise = [make.finding(detector=name, device=one) for one in ("phone-01", "phone-02")] if heard else []
    trials = (make.trial(*heard, detector=name), make.trial(*noise, scenario="sync", truth=calm, detector=name))
    assert "told apart" not in printed(*trials)
    monkeypatch.setattr(ladder, "APART", 0.5)
    assert "AUC 0.50" in printed(*trials), "the negative control"


def test_a_suite_that_a_control_masters_is_said_to_be_too_easy(make):
    blind = make.trial(make.finding(score=0.9, detector="timing-only"), detector="timing-only")
    lost = make.trial(make.finding(), make.finding(package="com.example.news", score=0.99))
    text = printed(blind, lost)
    assert "too easy: AN1793 under view full: timing-only has AP 1, builtin as the best detector 0.5" in text
    assert "too easy" not in printed(make.trial(make.finding()), make.trial(detector="timing-only"))


def test_what_is_unseen_is_told_from_what_is_missed(make):
    name = make.incident().incident
    text = " ".join(printed(make.trial(unseen=(name,))).split())
    assert "0 % of 1" in text
    assert "1 of 1 unseen" in text
    assert "It counts as not detected, in recall too." in text
    assert "unseen" not in printed(make.trial())


def test_what_is_held_out_is_named(make):
    told = "held out: polling-plain. They only tell how good a finished detector is"
    assert told in " ".join(printed(make.trial(held_out=True)).split())
    assert "held out" not in printed(make.trial())


def test_alerts_on_a_background_are_said_to_be_neither_right_nor_wrong(make):
    truth = make.truth(make.incident(), background=Background())
    text = printed(make.trial(make.finding(), make.finding(device="192.168.7.23"), truth=truth))
    assert "background, neither right nor wrong: AN1793 1 on 1 of the capture's hosts (builtin, full)" in text
    assert "false alarm:" not in text
    assert "background" not in printed(make.trial(make.finding()))
