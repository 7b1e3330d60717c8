"""Maps of a sweep: what is counted in which cell, and where recall crosses a line."""

import pytest

from lab.scoring.boundary import boundary, crossings

JITTER = {"name": "polling.jitter", "unit": "", "values": [0.0, 0.5, 0.9]}
PERIOD = {"name": "polling.period", "unit": "s", "values": [30.0, 3600.0]}
DAY = {"start": "2026-03-02T00:00:00.000000Z", "end": "2026-03-03T00:00:00.000000Z"}


def rows(found, *, law="cobalt-strike", package="com.orchard.torch", **more):
    """Incidents and settings of (jitter, period) -> verdicts."""
    incidents, played = [], []
    for number, ((jitter, period), verdicts) in enumerate(found.items()):
        for seed, verdict in enumerate(verdicts):
            place = {"scenario": f"poll.{number}", "seed": seed, "stage": "flows", "incident": "phone-01/x"}
            who = {"detector": "builtin", "view": "full", "analytic": "AN1793", "behaviour": "http-poll", **more}
            incidents.append({**place, **who, **DAY, "verdict": verdict, "package": package})
            played.append({**place, "settings": {"jitter": jitter, "period": period, "law": law}})
    return incidents, played


HIT, MISS = "detected", "missed"
FOUND = {(0.0, 30.0): [HIT, HIT], (0.5, 30.0): [HIT, MISS], (0.9, 30.0): [MISS, "unseen"], (0.0, 3600.0): [HIT, HIT]}


def test_cells_count_found_of_played_and_what_was_not_played_is_of_none():
    (one,) = boundary(*rows(FOUND), [JITTER, PERIOD], 0.001)
    told = {(cell["x"], cell["y"]): (cell["found"], cell["of"]) for cell in one["cells"]}
    assert told == {
        (0.0, 30.0): (2, 2),
        (0.5, 30.0): (1, 2),
        (0.9, 30.0): (0, 2),
        (0.0, 3600.0): (2, 2),
        (0.5, 3600.0): (0, 0),
        (0.9, 3600.0): (0, 0),
    }
    assert one["half"] == [{"x": [0.5, 0.9], "y": [30.0, 30.0]}]
    assert one["most"] == [{"x": [0.0, 0.5], "y": [30.0, 30.0]}]


def test_a_cell_that_was_not_played_is_crossed_by_no_line():
    assert list(crossings({(0, 0): (1, 1), (1, 0): (0, 0)}, [0, 1], [0], 0.5)) == []
    assert list(crossings({(0, 0): (1, 1), (0, 1): (0, 1)}, [0], [0, 1], 0.5)) == [{"x": [0, 0], "y": [0, 1]}]


def test_one_axis_makes_a_map_of_one_row():
    (one,) = boundary(*rows({(0.0, 300.0): [HIT], (0.9, 300.0): [MISS]}), [JITTER], 0.001)
    assert one["y"] == {"name": "all", "unit": "", "values": ["all"]}
    assert [(cell["x"], cell["y"], cell["of"]) for cell in one["cells"]] == [
        *((0.0, "all", 1), (0.5, "all", 0), (0.9, "all", 1)),
    ]
    assert one["limit"] == []  # a poll of five minutes has contacts enough in a day, whatever the jitter


def test_the_limit_falls_as_jitter_grows_and_is_none_without_memory():
    (one,) = boundary(*rows(FOUND), [JITTER, PERIOD], 0.001)
    periods = [point["y"] for point in one["limit"]]
    assert periods == sorted(periods, reverse=True)
    assert len({*periods}) > 20
    (turned,) = boundary(*rows(FOUND), [PERIOD, JITTER], 0.001)
    assert [(point["y"], point["x"]) for point in turned["limit"]] == [(p["x"], p["y"]) for p in one["limit"]]
    (memoryless,) = boundary(*rows(FOUND, law="exponential"), [JITTER, PERIOD], 0.001)
    assert memoryless["limit"] == []


@pytest.mark.parametrize("period", [6 * 3600.0])
def test_a_slow_poll_meets_the_limit_at_some_jitter(period):
    found = {(0.0, period): [HIT], (0.9, period): [MISS]}
    (one,) = boundary(*rows(found), [JITTER], 0.001)
    (point,) = one["limit"]
    assert 0.0 < point["x"] < 0.9


def test_relays_and_other_settings_have_no_limit_of_timing():
    (one,) = boundary(*rows(FOUND, analytic="AN1702"), [JITTER, PERIOD], 0.001)
    assert one["limit"] == []


def test_an_axis_of_one_app_leaves_the_others_out():
    axis = {**JITTER, "name": "app.torch.behaviour.jitter"}
    assert len(boundary(*rows(FOUND), [axis, PERIOD], 0.001)) == 1
    assert boundary(*rows(FOUND, package="com.heron.browser"), [axis, PERIOD], 0.001) == []


def test_nothing_turned_makes_no_map():
    assert boundary(*rows(FOUND), [], 0.001) == []
