"""A query goes through JSON unchanged."""

from __future__ import annotations

import json

from detector.sql.query import Query


def test_it_comes_back_as_it_was():
    one = Query("r", "SELECT $a", "AN1702", {"a": 1.5, "b": None}, "m", ("dns", "flows"), ("flows",))
    assert Query.from_json(json.loads(json.dumps(one.to_json()))) == one


def test_it_needs_what_is_not_optional():
    assert Query("r", "", "AN1702", tables=("dns", "flows"), optional=("flows",)).needs == ("dns",)
