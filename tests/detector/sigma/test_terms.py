"""Values as conditions: no text of a rule is in them. What they match is in test_compiling.py."""

from __future__ import annotations

import ipaddress

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("sigma.collection", reason="the extra sigma is not installed")

from sigma.types import SigmaCIDRExpression, SigmaQueryExpression, SigmaString

from detector.sigma.sources import Column
from detector.sigma.terms import Parameters, Terms


def terms():
    return Terms(Parameters(), lambda _name: Column("c"))


def holds(one, condition, value):
    asked = f"SELECT {condition} FROM (SELECT CAST($c AS VARCHAR) AS c)"
    return duckdb.execute(asked, {**one.parameters.values, "c": value}).fetchone()[0]


@given(st.text(st.characters(exclude_characters="*?\\\0", exclude_categories=["Cs"])))
def test_any_text_matches_itself_by_a_parameter(text):
    one = terms()
    condition = one.condition("f", SigmaString(text))
    assert condition == "coalesce(lower(c) = lower($v0), false)"
    assert holds(one, condition, text)


@given(st.text("ab%_\\'", max_size=6), st.text("ab%_\\'", max_size=6))
def test_a_wildcard_takes_what_is_between_and_nothing_else_is_one(first, last):
    one = terms()
    value = SigmaString()
    from sigma.types import SpecialChars

    value.s = [first, SpecialChars.WILDCARD_MULTI, last]
    condition = one.condition("f", value)
    assert holds(one, condition, f"{first}in between{last}")
    assert holds(one, condition, f"x{first}in between{last}") == (not first)


@given(st.ip_addresses(v=4), st.integers(0, 32), st.ip_addresses(v=4))
def test_a_network_has_the_addresses_that_python_says(base, bits, address):
    network = ipaddress.ip_network(f"{base}/{bits}", strict=False)
    one = terms()
    condition = one.condition("f", SigmaCIDRExpression(str(network)))
    assert holds(one, condition, str(address)) == (address in network)
    assert holds(one, condition, str(network.network_address))


@pytest.mark.parametrize("text", ["", "x", "1.2.3", "1.2.3.x", "::1", None])
def test_what_is_no_address_is_in_no_network(text):
    one = terms()
    assert holds(one, one.condition("f", SigmaCIDRExpression("1.2.0.0/16")), text) is False


def test_a_part_of_a_query_is_no_value():
    with pytest.raises(ValueError, match="field f: found a value of type SigmaQueryExpression, which is not supported"):
        terms().condition("f", SigmaQueryExpression("1=1", "x"))
