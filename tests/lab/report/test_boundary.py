"""Boundaries: cells, lines between them, and a limit in the places of the cells."""

from lab.report.boundary import maps

JITTER = {"name": "app.spy.behaviour.jitter", "unit": "", "values": [0.0, 0.5, 1.0]}
PERIOD = {"name": "period", "unit": "s", "values": [30, 3600]}


def made(cells, limit=()):
    row = {
        "detector": "builtin",
        "analytic": "AN1793",
        "behaviour": "http-poll",
        "view": "full",
        "x": JITTER,
        "y": PERIOD,
    }
    cells = [{"x": x, "y": y, "found": found, "of": of} for x, y, found, of in cells]
    (one,) = maps({"boundary": [{**row, "cells": cells, "limit": list(limit)}]}, ["builtin"])
    return one


def of(one, kind):
    return [row for row in one.rows if row["kind"] == kind]


def test_nothing_varied_is_no_map():
    assert maps({}, ["builtin"]) == []


def test_the_table_says_found_of_played_with_the_last_row_on_top():
    one = made([(0.0, 30, 4, 4), (0.5, 3600, 1, 4)])
    assert one.columns == ("0", "0.5", "1")
    assert one.table == (
        ("1 h", (("-", None), ("1/4", 2), ("-", None))),
        ("30 s", (("4/4", 10), ("-", None), ("-", None))),
    )
    assert one.plot["ys"] == ["30 s", "1 h"]
    assert one.plot["x"] == "jitter"


def test_a_cell_that_was_not_played_is_no_zero():
    one = made([(0.0, 30, 0, 0), (0.5, 30, 0, 3)])
    assert [(row["x"], row["told"], row["heat"]) for row in of(one, "cell")] == [(1, "0/3", 0)]
    assert not of(one, "half")


def test_lines_run_where_recall_crosses_one_half_and_95_percent():
    one = made([(0.0, 30, 20, 20), (0.5, 30, 18, 20), (1.0, 30, 9, 20), (0.0, 3600, 10, 20)])
    assert [(row["x"], row["x2"], row["y"], row["y2"]) for row in of(one, "half")] == [(2, 2, 0, 1)]
    assert [(row["x"], row["x2"], row["y"], row["y2"]) for row in of(one, "most")] == [(1, 1, 0, 1), (0, 1, 1, 1)]


def test_the_limit_lies_between_cells_and_not_beyond():
    points = [{"x": 0.25, "y": 30}, {"x": 2.0, "y": 30}, {"x": 1.0, "y": 1815}]
    one = made([(0.0, 30, 1, 1)], points)
    assert [(row["at"], row["x"], row["y"]) for row in of(one, "limit")] == [(0, 1.0, 0.5), (2, 2.5, 1.0)]
    assert one.limit == "jitter 0.25, period 30 s to jitter 1, period 30 min 15 s"
    assert made([(0.0, 30, 1, 1)], points[:1]).limit == "jitter 0.25, period 30 s"
    assert made([(0.0, 30, 1, 1)]).limit == ""


def test_a_map_of_one_setting_has_one_row_and_a_limit_on_it():
    alone = {"name": "all", "unit": "", "values": ["all"]}
    cells = [{"x": x, "y": "all", "found": 4 - 2 * place, "of": 4} for place, x in enumerate(JITTER["values"])]
    row = {"detector": "builtin", "analytic": "AN1793", "behaviour": "http-poll", "view": "full", "x": JITTER}
    card = {"boundary": [{**row, "y": alone, "cells": cells, "limit": [{"x": 0.75, "y": "all"}]}]}
    (one,) = maps(card, ["builtin"])
    assert one.table == (("all", (("4/4", 10), ("2/4", 5), ("0/4", 0))),)
    assert [(row["x"], row["y"]) for row in of(one, "limit")] == [(2.0, 0.5)]
    assert maps(card, ["rival"]) == []
