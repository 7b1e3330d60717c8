"""Look-alikes that are new: each share is a case of its own, and its row says what it costs."""

import sys
from pathlib import Path

import pyarrow as pa
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from lab.world.past import NOVEL
from tests.bench import bench_detection
from tests.bench.detection import corpus
from tests.bench.detection.board import Board, Content
from tests.bench.detection.corpus import Case, Wishes, place_of
from tests.bench.detection.novelty import table
from tests.bench.detection.rows import INCIDENTS, INNOCENT, LOOKS, SAID
from tests.bench.detection.splits import CALIBRATION, Splits, side_of

SPLITS = Splits((101,), (1,))
DAYS = 1_000.0
BAD, GOOD = [one for one in map("com.example.app{}".format, range(40)) if side_of(one) == CALIBRATION][:2]
TWIN = """question = "Is what imitates an implant there before?"
span = "12h"
devices = 2
twin_of = "https-poll-5m"
[[app]]
package = "com.orchard.torch"
category = "tools"
[[app.behaviour]]
kind = "http-poll"
period = "5m"
[[expect]]
behaviour = "http-poll"
package = "com.orchard.torch"
contacts = { at_least = 2 }
"""


@pytest.fixture
def played(tmp_path, monkeypatch):
    """Plays the twin with a share of look-alikes that are new: (score of each row by its app, how often it was played)."""
    place, times, plain = tmp_path / "twin.toml", [], corpus._looked
    place.write_text(TWIN)
    monkeypatch.setattr(corpus, "find_scenario", lambda _name: place)
    monkeypatch.setattr(corpus, "_looked", lambda *given: times.append(given) or plain(*given))

    def play(share):
        wishes = Wishes(0, 0.25, ("full",), (("builtin", ("full",)),), novel=share)
        case = Case("twin", 1, place_of(tmp_path, "twin", 1, wishes))
        corpus._renewed(case, wishes)
        rows = [row for row in case.table("said").to_pylist() if row["package"] == "com.orchard.torch"]
        return max((row["score"] for row in rows), default=0.0), len(times)

    return play


def test_a_look_alike_that_is_new_is_more_suspect_and_each_share_is_kept_apart(played):
    old, new = played(0.0)[0], played(1.0)[0]
    assert old < new
    assert [played(0.0), played(1.0)] == [(old, 2), (new, 2)]  # neither is played again


def test_what_is_asked_without_a_share_is_the_usual_one():
    wishes = Wishes(7, 3.0, ("full",), ())
    assert wishes.novel == NOVEL
    assert place_of(Path("kept"), "a", 1, wishes) == Path("kept/d7-p3-0-0.01/a-s1")


def content(seed, hits, alarms):
    """A case with an incident for each of the scores and a false alarm for each of the others."""
    who = {"detector": "builtin", "view": "full", "analytic": "AN1793", "device": "phone-01"}
    found = [{"package": BAD, "incident": f"i{n}", "kind": "incident", "score": it} for n, it in enumerate(hits)]
    strays = [{"package": GOOD, "unit": f"u{n}", "kind": INNOCENT, "score": it} for n, it in enumerate(alarms)]
    said = [{**who, "alert": True, **row} for row in (*found, *strays)]
    about = {"analytic": "AN1793", "device": "phone-01", "package": BAD, "start": 0, "settings": "{}"}
    incidents = [{**about, "incident": f"i{n}", "contacts": 9, "unseen": []} for n in range(len(hits))]
    looks = [{"detector": "builtin", "view": "full", "status": "scored", "judged": ["AN1793"], "seconds": 1.0}]
    tables = ((said, SAID), (looks, LOOKS), (incidents, INCIDENTS))
    return Content(
        "poll", seed, DAYS, (BAD, GOOD), *(pa.Table.from_pylist(rows, schema=schema) for rows, schema in tables)
    )


def test_a_row_says_recall_and_alarms_at_the_frozen_threshold_and_recall_within_the_budget():
    usual = Board([content(101, [0.9, 0.7], [0.6, 0.5]), content(1, [0.9, 0.7], [0.6])], SPLITS)
    many = Board([content(1, [0.9, 0.7], [0.8, 0.8, 0.6])], SPLITS)
    lines = table(usual, {0.5: many, 0.01: usual_test(usual)}, ("AN1793", "AN1702"))
    assert lines[0].startswith("1,000 device-days in every row: the budget is 1 false alarms")
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[3:]]
    assert [row[:2] for row in cells[:2]] == [["1 %", "AN1793"], ["50 %", "AN1793"]]
    assert cells[0][2].endswith("2 of 2")
    assert cells[0][3].endswith(", 1")
    assert cells[0][4].endswith("2 of 2")
    assert [cells[1][2][-6:], cells[1][3][-3:], cells[1][4][-6:]] == ["2 of 2", ", 3", "1 of 2"]
    assert cells[2] == ["1 %", "AN1702", "-", "-", "-"]  # never judged


def usual_test(usual):
    return Board([one for one in usual.contents if one.seed == 1], SPLITS)


def test_the_bench_plays_every_share_under_the_first_seed_that_tests(monkeypatch):
    asked = []
    monkeypatch.setattr(bench_detection, "gathered", lambda *given: asked.append(given) or [])
    monkeypatch.setattr(bench_detection.novelty, "table", lambda _usual, boards, _analytics: [*boards])
    given = bench_detection.argparse.Namespace(devices=7, days=3.0, novel=[0.0, 0.5], cache=Path("kept"))
    cases = [Case(name, seed, Path()) for name in ("poll", "its-twin") for seed in (101, 1)]
    assert bench_detection.imitated(given, bench_detection.Played(cases, Board([], SPLITS), ())) == [0.0, 0.5]
    assert [(names, seeds, wishes.novel) for names, seeds, wishes, _ in asked] == [
        (["its-twin", "poll"], [1], 0.0),
        (["its-twin", "poll"], [1], 0.5),
    ]
