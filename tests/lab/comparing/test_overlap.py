"""What two scorecards have in common, and what is said of what they have not."""

from lab.comparing.overlap import common
from lab.gate.selection import Card


def test_the_same_twice(made):
    both = common(made.card(), made.card())
    assert (both.bars, both.notes, both.whole, both.same_recordings) == ((), (), True, True)
    assert both.cells == (("specimen", "full"),)
    assert both.now.content == both.before.content == made.content()


def test_what_only_one_has_is_left_out_of_both(made):
    both = common(made.card(count=6), made.card())
    assert both.bars == ()
    assert not both.whole
    assert both.now.scenarios == both.before.scenarios == {f"specimen-{number:02d}" for number in range(6)}
    assert {len(card.content["incidents"]) for card in (both.now, both.before)} == {12}
    assert both.notes == (
        "scenarios: 6 only in B: specimen-06, specimen-07, specimen-08 and 3 more",
        "seeds or scenarios that only one of them has are left out of both",
    )


def test_other_seeds_are_pairs_of_one_kind(made):
    both = common(made.card(seed=1), made.card(seed=2))
    assert both.notes == ("no seed is in both: pairs are incidents of one kind in one scenario, not the same incident",)
    assert (both.whole, both.same_recordings, len(both.now.content["incidents"])) == (False, False, 24)


def test_bars(made):
    other = made.content(software="9.9")
    other["suite"], other["devices"] = "else", 7
    other["evidence"]["scenarios"]["specimen-03"] = "1" * 64
    for part in ("incidents", "judgements", "played", "false_alarms"):
        for row in other[part]:
            row["stage"] = "wire"
    both = common(Card(other, "a"), made.card())
    assert both.bars == (
        "suite: A is of else, B of specimen",
        "devices: A has 7, B None",
        "droidrange: A was made with 9.9, B with specimen",
        "stage: A was played on wire, B on flows",
        "scenarios: 1 changed between the two, such as specimen-03",
    )
    assert len(both.before.content["incidents"]) == 24


def test_a_detector_alone_in_each_is_held_against_the_other(made):
    old = made.rename(made.content(), "builtin:old.toml")
    old["evidence"]["detectors"] = {"builtin:old.toml": "7", "silent": "1"}
    both = common(Card(old, "a"), made.card())
    assert both.before.content["evidence"]["detectors"] == {"specimen": "7", "silent": "1"}
    assert both.cells == (("specimen", "full"),)
    assert both.notes == ("A is of detector builtin:old.toml, B of specimen",)


def test_views_that_only_one_has_are_told(made):
    wide = made.content()
    wide["detectors"]["specimen"]["views"]["no-app"] = wide["detectors"]["specimen"]["views"]["full"]
    assert common(made.card(), Card(wide, "b")).notes == ("only in B: specimen under no-app",)


def test_other_recordings_of_the_same_seed_are_told(made):
    other = made.content()
    other["evidence"]["recordings"]["specimen-00-s1"] = "1" * 64
    both = common(made.card(), Card(other, "b"))
    assert not both.same_recordings
    assert both.notes == ("not all of the recordings are the same: a difference need not be the detector's",)


def test_nothing_in_common(made):
    there = made.content(count=1)
    there["judgements"] = [{**row, "scenario": "elsewhere"} for row in there["judgements"]]
    assert common(Card(there, "a"), made.card()).now.scenarios == frozenset()
