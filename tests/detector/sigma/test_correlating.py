"""Rules as statements: their parameters, measures and tables. What they count is in test_compiling.py."""

from __future__ import annotations

import pytest

pytest.importorskip("sigma.collection", reason="the extra sigma is not installed")

from sigma.collection import SigmaCollection

from detector.sigma.correlating import correlation, plain

TEXT = """title: T
name: t
level: {level}
logsource: {{category: dns}}
detection: {{s: {{query: a}}, condition: s}}
---
title: C
correlation:
  type: {kind}
  rules: [t]
  {by}
  timespan: 2h
  condition: {{gte: 3, field: query}}
"""


def rules(kind="event_count", level="low", by="group-by: [device]"):
    return SigmaCollection.from_yaml(TEXT.format(kind=kind, level=level, by=by)).rules


def test_a_plain_rule_scores_by_its_level():
    made = plain(rules(level="critical")[0], "AN1793")
    assert list(made.parameters.values.values()) == ["a", 1.0, True, "high", "T"]
    assert (made.measure, made.tables, made.optional) == (None, ("dns",), ("flows",))
    assert list(plain(rules(level="informational")[0], "AN1793").parameters.values.values())[2] is False


def test_a_correlation_has_its_bar_and_span_as_parameters():
    made = correlation(rules()[1], "AN1793")
    assert made.parameters.values["bar"] == 3
    assert made.parameters.values["span"] == 7_200_000_000
    assert (made.measure, made.tables, made.optional) == ("event_count", ("dns",), ("flows",))


def test_of_relays_no_destination_is_named():
    assert "mode(peer) AS peer" in correlation(rules()[1], "AN1793").text
    assert "NULL AS peer" in correlation(rules()[1], "AN1702").text


def test_without_a_group_there_is_nobody_to_speak_of():
    with pytest.raises(ValueError, match="found no group-by, expected fields such as device and package"):
        correlation(rules(by="generate: true")[1], "AN1793")
