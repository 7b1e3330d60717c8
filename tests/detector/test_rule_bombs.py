"""Rules that would use up the machine: each ends within its limits, by its own end, or by being ended and saying so."""

from __future__ import annotations

import time

import pytest

from detector.contract import Telemetry
from detector.fenced import Failed, Limits
from detector.sigma.asked import compiled
from detector.signature import Signature
from detector.sql.asked import asked, checked
from detector.sql.query import Query

SMALL = Limits(seconds=6.0, cpu_seconds=4, memory=2 << 30, output=4 << 20)
#: The machine may be busy: what a started process takes until it can be ended, seconds.
GRACE_S = 20.0
READ = Limits(seconds=30.0, cpu_seconds=20, memory=2 << 30, output=4 << 20)
ROW = """SELECT {device} AS device, 1 AS uid, 'p' AS package, 'x' AS peer, 0 AS first_seen, 1 AS last_seen, 1 AS decided_at,
  0.5 AS score, true AS alert FROM {source}"""
TIME = ("ran longer", "computed longer")
SPACE = ("Out of Memory", "MemoryError", "memory", "bad_alloc", "ended with code")
SQL_BOMBS = {
    "endless_recursion": (
        "'a'",
        "(WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t) SELECT max(n) FROM t)",
        TIME + SPACE,
    ),
    "cross_join": (
        "sum(hash(a.range, b.range, c.range))::VARCHAR",
        "range(200000) a, range(200000) b, range(200000) c",
        TIME,
    ),
    "long_range": ("sum(hash(range))::VARCHAR", "range(1000000000000)", TIME),
    "expression": (
        "count(*) FILTER (regexp_matches(repeat('a', 100000) || range, '(a|aa)+$'))::VARCHAR",
        "range(100000000)",
        TIME,
    ),
    "list": ("len(list_sort(range(2000000000)))::VARCHAR", "(SELECT 1)", TIME + SPACE),
    "text": ("sum(length(t))::VARCHAR", "(SELECT repeat('x', 2000000000) || range AS t FROM range(50))", TIME + SPACE),
    "aggregate": ("string_agg(repeat('x', 100000), '')", "range(1000000)", TIME + SPACE),
    "sort": ("a", "(SELECT md5(range::VARCHAR) AS a FROM range(2000000000) ORDER BY a)", TIME + SPACE),
    "flood": ("'d' || range", "range(100000000)", ("wrote more", *TIME)),
}
READING_BOMBS = {
    "deep_parentheses": "SELECT " + "(" * 30_000 + "1" + ")" * 30_000,
    "deep_queries": "SELECT * FROM " + "(SELECT * FROM " * 3000 + "flows" + ")" * 3000,
    "long": "SELECT " + "1 + " * 200_000 + "1",
    "folded": "SELECT len(range(3000000000)) AS device",
}
EMPTY = Telemetry({}, span=(0, 1))


def seconds(action) -> float:
    began = time.monotonic()
    action()
    return time.monotonic() - began


@pytest.mark.parametrize("name", SQL_BOMBS)
def test_a_statement_is_ended_at_its_limits(name):
    device, source, words = SQL_BOMBS[name]
    query = Query(name, ROW.format(device=device, source=source), "AN1793")

    def ask():
        with pytest.raises(Failed) as told:
            asked([query], EMPTY, Signature("sql:bomb", "1", partial=False), SMALL)
        assert any(word in str(told.value) for word in words), told.value

    assert seconds(ask) < SMALL.seconds + GRACE_S


@pytest.mark.parametrize("name", READING_BOMBS)
def test_a_statement_that_cannot_be_read_is_no_rule(name):
    def read():
        with pytest.raises(LookupError, match=r"x\.sql: found"):
            checked([Query(name, READING_BOMBS[name], "AN1793")], "x.sql", SMALL)

    assert seconds(read) < SMALL.seconds + GRACE_S


RULE = """title: T
name: t
tags: [attack.t1437]
logsource: {{category: network_connection}}
detection:
  s:
    {field}
  condition: {condition}
"""
#: Text, and what its author is told; the conditions may take longer than a rule may.
SIGMA_BOMBS = {
    "laughs": (
        "a: &a [x, x, x, x, x, x, x, x, x]\n"
        + "".join(f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)),
        "expand to too many nodes",
    ),
    "deep_yaml": ("[" * 20_000, "nested too deeply|within 30 s"),
    "cycle": ("&a [*a]", "Recursive"),
    "deep_condition": (
        RULE.format(field="Image: x", condition="not (" * 3000 + "s" + ")" * 3000),
        "nested too deeply|within 30 s",
    ),
    "long_condition": (
        RULE.format(field="Image: x", condition=" and not ".join(["s"] * 20_000)),
        "nested too deeply|within 30 s|expected at most",
    ),
    "large_expression": (RULE.format(field="Image|re: '((a{1000}){1000}){1000}'", condition="s"), "expression of RE2"),
    "python_object": ("!!python/object/apply:os.system ['touch planted']", "could not determine a constructor"),
}


@pytest.mark.parametrize("name", SIGMA_BOMBS)
def test_a_sigma_rule_that_cannot_be_read_is_no_rule(name):
    pytest.importorskip("sigma.collection", reason="the extra sigma is not installed")
    text, words = SIGMA_BOMBS[name]

    def read():
        with pytest.raises(LookupError, match=words):
            compiled([("x.yml", text)], None, "x.yml", READ)

    assert seconds(read) < READ.seconds + GRACE_S


def test_an_expression_that_is_slow_elsewhere_is_quick_here():
    pytest.importorskip("sigma.collection", reason="the extra sigma is not installed")
    text = RULE.format(field="DestinationHostname|re: '(a|a)*(a|a)*(a|a)*b$'", condition="s")
    (rule,) = compiled([("x.yml", text)], None, "x.yml")
    long = Telemetry({"flows": flows("a" * 20_000)}, span=(0, 1))
    assert asked([rule.query], long, Signature("sigma:x", "1", partial=False)) == []


def flows(name):
    import pyarrow as pa

    from detector.contract import SCHEMAS

    row = dict.fromkeys(SCHEMAS["flows"].names) | {"flow": 1, "device": "a", "start": 0, "end": 1, "name": name}
    return pa.Table.from_pylist([row] * 50, schema=SCHEMAS["flows"])
