"""The adapter of SQL files: arguments, what it needs, what it judges, its knob."""

from __future__ import annotations

from pathlib import Path

import pytest

from detector.contract import Origin, Telemetry, Unsupported, detector

EXAMPLE = Path(__file__).parents[3] / "examples" / "interval.sql"
ORIGIN = Origin("made up", "2027-01-02", (1, 2), 0.5, 2000.0)
TEXT = """-- droidrange: analytic AN1793
-- droidrange: knob least 3 1 10
-- droidrange: needs flows.package
SELECT device, uid, package, name AS peer, min(start) AS first_seen, max(start) AS last_seen, max(start) AS decided_at,
  count(*) / 10 AS score, count(*) >= $least AS alert, count(*) AS least FROM flows GROUP BY ALL
"""


@pytest.fixture
def path(tmp_path):
    place = tmp_path / "count.sql"
    place.write_text(TEXT)
    return place


def test_the_example_finds_an_even_pace_as_soon_as_it_is_one(made):
    made.polls(range(0, 36_000, 600), uid=7, package="p", name="c2.example")
    made.polls((10, 700, 9000, 9100, 20_000, 20_300, 31_000, 33_000, 33_500, 34_000, 35_000, 35_100, 35_900), name="b")
    (one,) = [found for found in detector(f"sql:{EXAMPLE}").detect(made.telemetry()) if found.alert]
    assert (one.device, one.uid, one.package, one.peer) == ("phone-01", 7, "p", "c2.example")
    assert one.decided_at == 11 * 600_000_000
    assert one.score == 1.0


def test_what_it_needs_and_judges_depends_on_what_is_there(path, made):
    one = detector(f"sql:{path}")
    assert one.needs == ("flows",)
    assert one.judges(Telemetry({}, (0, 1))) == ()
    made.polls((1, 2, 3), name="n")
    assert one.judges(made.telemetry()) == ()
    with pytest.raises(Unsupported, match=r"needs flows\.package; this telemetry \(view full\) has none"):
        list(one.detect(made.telemetry()))
    made.polls((4,), package="p", name="n")
    assert one.judges(made.telemetry()) == ("AN1793",)


def test_a_setting_moves_the_bar_and_the_version(path, made):
    made.polls((1, 2, 3), package="p", name="n")
    plain, set_ = detector(f"sql:{path}"), detector(f"sql:{path}?least=4")
    assert plain.version != set_.version
    assert [(found.alert, plain.deciding(found)) for found in plain.detect(made.telemetry())] == [(True, 3.0)]
    assert [(found.alert, set_.deciding(found)) for found in set_.detect(made.telemetry())] == [(False, 3.0)]


def test_what_is_tuned_is_the_file_itself(path, tmp_path):
    made = detector(f"sql:{path}?least=4").tuned({"least": 5.0}, ORIGIN)
    assert made.suffix == ".sql"
    assert "knob least 5 1 10\n-- tuned 2027-01-02: made up; at 0.5 false alarms per device-day\n" in made.content
    (tmp_path / "tuned.sql").write_text(made.content)
    assert detector(made.spelled(tmp_path / "tuned.sql")).knobs[0].value == 5


@pytest.mark.parametrize(
    ("argument", "fault"),
    [
        ("", "found no file, expected sql:FILE"),
        ("{folder}/none.sql", "not found, expected a SQL file"),
        ("{folder}", "found a folder, expected one SQL file"),
        ("{folder}/count.sql?volume=3", "found 'volume' after"),
        ("{folder}/count.sql?least=30", "found least=30, expected 1 to 10"),
        ("{folder}/count.sql?least", r"expected \?NAME=NUMBER"),
        ("{folder}/count.sql?analytic=AN1", "expected .analytic=AN1793"),
        ("{folder}/binary.sql", "unreadable .*expected a SQL file in UTF-8"),
    ],
)
def test_a_wrong_argument_says_what_was_expected(path, argument, fault):
    (path.parent / "binary.sql").write_bytes(b"\xff\xfe")
    with pytest.raises(LookupError, match=fault):
        detector(f"sql:{argument.format(folder=path.parent)}")
