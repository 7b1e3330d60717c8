"""A rule's analytic: what it says, what its techniques mean, what the caller gives, in that order."""

from __future__ import annotations

import pytest

from detector.contract import ANALYTICS
from detector.rule_analytic import TECHNIQUES, analytic_of, split_argument, techniques_in

HERE = {"rule": "my.rules, line 3", "line": "metadata:droidrange_analytic AN1793;"}


@pytest.mark.parametrize(
    ("tags", "said", "given", "expected"),
    [
        (["T1437"], None, None, "AN1793"),
        (["T1437.001"], None, "AN1702", "AN1793"),
        (["T1437_001", "TA0037"], None, None, "AN1793"),
        (["attack.t1071.001", "attack.command-and-control"], None, None, "AN1793"),
        (["T1604"], None, None, "AN1702"),
        (["t1090.002"], None, None, "AN1702"),
        (["T1437"], "AN1702", None, "AN1702"),
        (["T1059"], None, "AN1702", "AN1702"),
        ([], None, "AN1793", "AN1793"),
        (["T1437", "T1090"], None, "AN1702", "AN1702"),
    ],
)
def test_the_nearest_word_counts(tags, said, given, expected):
    assert analytic_of(tags, said=said, given=given, **HERE) == expected


@pytest.mark.parametrize(
    ("tags", "said", "told"),
    [
        ([], None, ["my.rules, line 3", "no technique", "T1437", "add metadata:droidrange_analytic AN1793;"]),
        (["T1059.001"], None, ["techniques T1059", "?analytic=AN1793"]),
        (["T1437", "T1090"], None, ["techniques T1437, T1090", "of both AN1702 and AN1793"]),
        (["T1437"], "AN1", ["found 'AN1'", "AN1793 or AN1702"]),
        (["T14370"], None, ["no technique"]),
    ],
)
def test_a_rule_that_does_not_tell_is_refused_with_what_to_add(tags, said, told):
    with pytest.raises(LookupError) as fault:
        analytic_of(tags, said=said, given=None, **HERE)
    assert [part for part in told if part not in str(fault.value)] == []


def test_every_technique_means_an_analytic_that_exists():
    assert set(TECHNIQUES.values()) == set(ANALYTICS)
    assert techniques_in(TECHNIQUES) == list(TECHNIQUES)


def test_an_argument_may_hold_question_marks():
    assert split_argument("what?.rules?analytic=AN1702") == ("what?.rules", "AN1702")
    with pytest.raises(LookupError, match=r"found \?analytic=AN17, expected \?analytic=AN1793"):
        split_argument("my.rules?analytic=AN17")
