"""YAML that any reader reads back as the same values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.handing_on.yaml_text import yaml_text

yaml = pytest.importorskip("yaml", reason="the reader that proves it, pyyaml, comes with the extra sigma")

texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=8)
scalars = st.one_of(st.none(), st.booleans(), st.integers(), texts)
keys = st.from_regex(r"k[a-z_.-]{0,5}", fullmatch=True)
values = st.recursive(scalars, lambda one: st.dictionaries(keys, one, max_size=3), max_leaves=6)


@given(st.dictionaries(keys, st.one_of(values, st.lists(values, max_size=3)), min_size=1, max_size=4), texts)
def test_it_is_read_back(value, remark):
    assert yaml.safe_load(yaml_text(value, remark)) == value


def test_texts_that_look_like_something_else_stay_texts():
    told = {"a": "no", "b": "1e3", "c": "2026-03-02", "d": "- x: #y", "e e": "\x7f\u2028\U000e0001"}
    assert yaml.safe_load(yaml_text(told, "one\ntwo: #")) == told
