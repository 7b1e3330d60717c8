"""One spelling of addresses."""

import ipaddress

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.addresses import canonical, canonical_column


@given(st.ip_addresses(v=6))
def test_every_spelling_of_an_address_becomes_one(address):
    assert canonical(address.exploded) == canonical(address.exploded.upper()) == str(address)
    assert ipaddress.ip_address(canonical(str(address))) == address


@pytest.mark.parametrize("text", ["10.0.0.1", "a.example", "", "a:b", "client", "00:11:22:33:44:55"])
def test_what_is_no_such_address_stays(text):
    assert canonical(text) == text


@pytest.mark.parametrize("wrap", [pa.array, lambda rows: pa.chunked_array([rows[:1], rows[1:]])])
def test_a_column_is_spelled_value_by_value(wrap):
    column = wrap(["fd00:0:0:0:0:0:0:5", None, "10.0.0.1", "fd00:0000:0000:0000:0000:0000:0000:0005"])
    assert canonical_column(column).to_pylist() == ["fd00::5", None, "10.0.0.1", "fd00::5"]


def test_a_column_without_such_addresses_is_given_back():
    column = pa.array(["10.0.0.1", None])
    assert canonical_column(column) is column
