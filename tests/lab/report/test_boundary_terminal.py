"""Heat maps on a terminal: marks that need no colour, and the limit in words."""

import io

from rich.console import Console

from lab.report.boundary_terminal import tables

CARD = {
    "boundary": [
        {
            "detector": "builtin",
            "view": "full",
            "analytic": "AN1793",
            "behaviour": "http-poll",
            "x": {"name": "polling.jitter", "unit": "", "values": [0.0, 0.9]},
            "y": {"name": "polling.period", "unit": "s", "values": [30.0, 3600.0]},
            "cells": [
                {"x": 0.0, "y": 30.0, "found": 4, "of": 4},
                {"x": 0.9, "y": 30.0, "found": 2, "of": 4},
                {"x": 0.0, "y": 3600.0, "found": 1, "of": 4},
                {"x": 0.9, "y": 3600.0, "found": 0, "of": 0},
            ],
            "half": [],
            "most": [],
            "limit": [{"x": 0.1, "y": 36000.0}, {"x": 0.9, "y": 5400.0}],
        }
    ]
}


def drawn(card, tested=("builtin",)):
    out = io.StringIO()
    for one in tables(card, tested):
        Console(file=out, width=110, color_system=None).print(one)
    return out.getvalue()


def test_marks_say_what_colours_do():
    told = drawn(CARD)
    flat = " ".join(told.split())
    for part in (
        "4/4 *",
        "2/4 +",
        "1/4 ",
        "jitter",
        "Timing alone finds less than half beyond period",
        "at jitter 0.9",
    ):
        assert part in flat
    lines = told.splitlines()
    assert next(k for k, line in enumerate(lines) if "1/4" in line) < next(
        k for k, line in enumerate(lines) if "4/4" in line
    )


def test_controls_are_left_out_and_nothing_turned_draws_nothing():
    assert drawn(CARD, ("rita",)) == ""
    assert drawn({}) == ""
