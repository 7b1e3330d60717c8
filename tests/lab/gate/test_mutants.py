"""Every value of a configuration moved or removed once, everything else as it was."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.gate.mutants import mutants, written

TOML = """
[AN1793]
threshold = 0.6
fewest = 6
strict = true
state = "locked"
ports = [67, 123]
[AN1793.weights]
regular = 0.0
[AN1793.provenance]
budget = 0.001
"""
SQL = "-- rule\nselect * from flows\nwhere gaps > 10 and port = 443\n"

scalars = st.one_of(
    st.booleans(),
    st.integers(-99, 99),
    st.floats(-9, 9, allow_nan=False),
    st.text(max_size=8),
    st.lists(st.text(max_size=3), max_size=3),
)
tables = st.recursive(scalars, lambda inner: st.dictionaries(st.text(max_size=6), inner, max_size=4), max_leaves=12)


@given(st.dictionaries(st.text(max_size=6), tables, max_size=4))
def test_what_is_written_reads_back(document):
    assert tomllib.loads(written(document)) == document


def test_values_are_moved_and_removed():
    found = {(one.place, one.change): tomllib.loads(one.text) for one in mutants(TOML, toml=True)}
    assert set(found) == {
        ("AN1793.threshold", "0.6 -> 0.75"),
        ("AN1793.threshold", "0.6 -> 0.48"),
        ("AN1793.threshold", "removed"),
        ("AN1793.fewest", "6 -> 8"),
        ("AN1793.fewest", "6 -> 5"),
        ("AN1793.fewest", "removed"),
        ("AN1793.strict", "true -> false"),
        ("AN1793.strict", "removed"),
        ("AN1793.state", "removed"),
        ("AN1793.ports", "without 67"),
        ("AN1793.ports", "without 123"),
        ("AN1793.ports", "removed"),
        ("AN1793.weights.regular", "0 -> 0.1"),
        ("AN1793.weights.regular", "removed"),
    }
    assert found["AN1793.threshold", "0.6 -> 0.75"]["AN1793"]["threshold"] == 0.75
    assert found["AN1793.ports", "without 67"]["AN1793"]["ports"] == [123]
    assert found["AN1793.weights.regular", "removed"]["AN1793"]["weights"] == {}
    assert all(one["AN1793"]["provenance"] == {"budget": 0.001} for one in found.values())


def test_rules_are_changed_by_line():
    found = [(one.place, one.change, one.text) for one in mutants(SQL, toml=False)]
    assert [one[:2] for one in found] == [
        ("line 2", "removed"),
        ("line 3", "removed"),
        ("line 3", "10 -> 20"),
        ("line 3", "10 -> 5"),
        ("line 3", "443 -> 886"),
        ("line 3", "443 -> 221.5"),
    ]
    assert found[3][2] == SQL.replace("10", "5")


def test_what_toml_has_and_this_has_not_is_refused():
    with pytest.raises(ValueError, match="expected text, number"):
        written({"when": tomllib.loads("a = 2026-01-01")["a"]})
