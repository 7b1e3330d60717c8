"""Knobs: every detector that has one gives back a configuration in its own form that says just what was asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from detector.contract import Configuration, Origin, Tunable, detector, detector_names

ORIGIN = Origin("made up", "2027-01-02", (1, 2), 0.001, 2000.0, "abc")
SQL = f"sql:{Path(__file__).parents[2] / 'examples/interval.sql'}"
SIGMA = f"sigma:{Path(__file__).parents[2] / 'examples/sigma'}"
MORE = (
    *("rita:modifiers", "rita:modifiers,gate", "elastic:jitter=0.4,gate", "sentinel:gate", "rita:threshold=0.9"),
    *(SQL, f"{SQL}?least_contacts=20", SIGMA, f"{SIGMA}?fan-out=7"),
)


def tunable(name):
    try:
        return isinstance(detector(name), Tunable)
    except LookupError:
        return False


NAMES = [name for name in (*detector_names(), *MORE) if tunable(name)]


def configured(made: Configuration, tmp_path):
    path = tmp_path / f"tuned{made.suffix}"
    if made.content is not None:
        path.write_text(made.content)
    return detector(made.spelled(path))


def test_ours_and_all_rivals_have_a_knob_and_controls_have_none():
    assert {"builtin", "rita", "elastic", "sentinel", "baywatch", "zhang-paxson", "symmetry-only"} <= {*NAMES}
    assert not {"silent", "always", "rarity-only", "timing-only"} & {*NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_what_it_is_set_to_is_what_was_asked(name, tmp_path):
    one = detector(name)
    for knob in one.knobs:
        assert knob.least <= knob.value <= knob.most
        for value in (knob.least, 0.123457 * knob.most, knob.most):
            other = configured(one.tuned({knob.name: value}, ORIGIN), tmp_path)
            (now,) = [same for same in other.knobs if (same.name, same.analytic) == (knob.name, knob.analytic)]
            assert now.value == value
            rest = [(same.name, same.value) for same in other.knobs if same.name != knob.name]
            assert rest == [(same.name, same.value) for same in one.knobs if same.name != knob.name]


@pytest.mark.parametrize("name", NAMES)
def test_a_knob_that_it_has_not_is_refused(name):
    with pytest.raises(LookupError, match="unknown knob volume"):
        detector(name).tuned({"volume": 0.5}, ORIGIN)


def test_a_configuration_is_spelled_as_the_command_line_takes_it():
    assert Configuration("silent").spelled() == "silent"
    assert Configuration("builtin", content="", suffix=".toml").spelled("a/b.toml") == "builtin:a/b.toml"


def test_ours_keeps_every_comment_and_says_where_it_comes_from():
    from detector.thresholds import BUNDLED

    one = detector("builtin")
    made = one.tuned({"AN1702.threshold": 0.4}, ORIGIN)
    before, after = BUNDLED.read_text().splitlines(), made.content.splitlines()
    changed = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert [new.partition(" ")[0] for _, new in changed] == [
        *("split", "date", "seeds", "commit", "device_days"),
        "threshold",
    ]
    assert all(("#" in old) == ("#" in new) for old, new in changed)
    assert 'split = "AN1702.threshold: made up; all else: ' in made.content
