"""The tables of both clocks: nulls where nothing was seen, and knots from which a course can be followed."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from lab.stages.labels import Carried
from lab.stages.live.clocks import anchors_table, clock_table
from lab.stages.live.pace import courses
from lab.stages.live.script import Played


def test_each_conversation_has_its_row_seen_or_not(paced):
    timeline, scripts, _, _ = paced("smoke-poll")
    three = scripts[:3]
    made = courses(three, timeline.start, 60)
    two, none = np.array([5, 0, 0]), np.zeros(3, dtype=np.int64)
    mapped = SimpleNamespace(carried=Carried(none, two, none, two, none), first=np.array([three[0].start + 9, 0, 0]))
    played = [
        Played(0, ("10.88.3.4", 1), ("198.18.0.1", 2), 70, 80, 11, 12),
        Played(1, None, ("198.18.0.1", 2), 70, 80, 0, 0, "no socket seen"),
    ]
    seen, socketless, missing = clock_table(three, made, played, mapped).to_pylist()
    assert (seen["late_us"], seen["opened_real"], seen["sent"], seen["carried_up"], seen["error"]) == (
        9,
        70,
        11,
        5,
        None,
    )
    assert (socketless["late_us"], socketless["opened_real"], socketless["error"]) == (None, None, "no socket seen")
    assert (missing["first"], missing["sent"], missing["error"]) == (None, None, "never played")
    assert [row["planned_real_us"] for row in (seen, socketless, missing)] == [made[n].open_real for n in range(3)]


def test_anchors_are_all_there_is_to_a_course(paced):
    timeline, scripts, _, made = paced("smoke-poll")
    table = anchors_table(made)
    assert table.num_rows == sum(2 * len(course.real) - 1 for course in made.values())
    rows = {name: table[name].to_numpy() for name in table.column_names}
    assert (np.diff(rows["n"]) >= 0).all()
    for n in (0, len(scripts) - 1):
        scenario, real, rise, run = (rows[name][rows["n"] == n] for name in ("scenario", "real", "rise", "run"))
        asked = np.arange(made[n].open_real - 5, made[n].close_real + 500_000, 9_973)
        k = np.maximum(np.searchsorted(real, asked, side="right") - 1, 0)
        assert np.array_equal(scenario[k] + (asked - real[k]) * rise[k] // run[k], made[n].scenario_time(asked))
    assert scenario[0] >= timeline.start


def test_no_course_no_anchor():
    assert anchors_table({}).num_rows == 0
