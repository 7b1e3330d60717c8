"""A detection as a relation: what its condition becomes, and which tables it needs."""

from __future__ import annotations

import pytest

pytest.importorskip("sigma.collection", reason="the extra sigma is not installed")

from sigma.rule import SigmaRule

from detector.sigma.matching import matching
from detector.sigma.terms import Parameters

TEXT = """title: T
logsource: {{category: network_connection}}
detection:
  a: {{Image: x}}
  b: {{DestinationPort: [1, 2]}}
  c: {{bytes_up: 3}}
  d: {{locked: true}}
  condition: {condition}
"""


def built(condition, asked=None):
    one = matching(SigmaRule.from_yaml(TEXT.format(condition=condition)), Parameters())
    return one, one.relation(asked or {})


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("a and b", " AND "),
        ("a or b", " OR "),
        ("not a", "(NOT "),
        ("1 of a*", "package"),
        ("all of them", "locked"),
    ],
)
def test_conditions_are_those_of_the_specification(condition, words):
    assert words in built(condition)[1].split(" WHERE ")[-1]


def test_only_what_is_used_makes_it_late_or_needs_a_table():
    one, text = built("a or b")
    assert (one.late, one.stated, one.tables) == (False, False, ("flows",))
    assert "device_state" not in text
    one, text = built("c")
    assert (one.late, one.tables) == (True, ("flows",))
    assert "ended AS known" in text
    one, text = built("d")
    assert (one.stated, one.tables) == (True, ("flows", "device_state"))


def test_what_another_rule_asks_for_comes_under_its_alias():
    one, text = built("a", {"g0": "DestinationIp", "n0": "bytes_down"})
    assert 'CAST("server" AS VARCHAR) AS g0, CAST("bytes_down" AS VARCHAR) AS n0' in text
    assert one.late
