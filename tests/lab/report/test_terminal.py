"""The tables on a terminal."""

import io

from rich.console import Console

from lab.report.terminal import WORST, print_scorecard
from lab.score import score


def printed(*trials):
    out = io.StringIO()
    print_scorecard(score(trials, suite="core", seeds=1, budget=0.001), Console(file=out, width=180))
    return out.getvalue()


def test_numbers_with_their_intervals(make):
    text = printed(make.trial(make.finding()), make.trial(detector="silent"))
    assert "1/1 100 %" in text
    assert "21 to 100 %" in text
    assert "0/1 0 %" in text
    assert "2 h" in text
    assert "no evidence" not in text


def test_failures_and_blind_spots_are_named(make):
    text = printed(make.trial(), make.trial(seed=2, status="failed", reason="IndexError: 7"))
    assert "failed: polling-plain, seed 2, builtin, view full: IndexError: 7" in text
    assert "blind spot: AN1793 http-poll under view full" in text
    assert "no evidence: 1 of 2 trials failed" in text


def test_long_lists_say_how_much_is_left_out(make):
    noise = [make.finding(package="com.example.news", peer=f"h{n}.example") for n in range(WORST + 3)]
    assert "and 3 more false alarms" in printed(make.trial(*noise))


def test_a_name_cannot_steer_the_terminal(make):
    text = printed(make.trial(make.finding(package="com.\x1b]0;x\x07[bold]\u202e", peer="[red]a.example[/red]")))
    assert not set(text) & set("\x1b\x07\u202e")
    assert "[red]a.example[/red]" in text
