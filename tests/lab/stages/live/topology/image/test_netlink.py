"""Netlink messages: what is packed is parsed, and no bytes break the parser."""

from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st

from lab.stages.live.topology.image.netlink import (
    NLMSG_ERROR,
    Message,
    attribute,
    attributes,
    error_code,
    messages,
    pack,
)

BODIES = st.binary(max_size=64)


@given(st.lists(st.tuples(st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF), BODIES), max_size=5))
def test_what_is_packed_is_parsed(rows):
    data = b"".join(pack(kind, 0, body, sequence) for kind, sequence, body in rows)
    assert [(one.kind, one.sequence, one.body) for one in messages(data)] == rows


@given(st.dictionaries(st.integers(0, 0x3FFF), BODIES, max_size=6))
def test_attributes_that_are_packed_are_parsed(rows):
    assert attributes(b"".join(attribute(kind, value) for kind, value in rows.items())) == rows


def test_flags_of_an_attribute_s_type_are_not_its_type():
    assert attributes(attribute(0x8000 | 7, b"x")) == {7: b"x"}


@given(st.binary(max_size=200))
def test_no_bytes_break_the_parser(data):
    for one in messages(data):
        assert len(attributes(one.body)) <= len(one.body)
    assert all(len(value) <= len(data) for value in attributes(data).values())


def test_a_message_that_is_cut_ends_the_datagram():
    whole = pack(16, 0, b"abcd")
    assert len(list(messages(whole + whole[:-1]))) == 1


def test_errors_have_the_kernel_s_number():
    assert error_code(Message(NLMSG_ERROR, 1, struct.pack("=i", -2))) == 2
    assert error_code(Message(NLMSG_ERROR, 1, struct.pack("=i", 0))) == 0
    assert error_code(Message(NLMSG_ERROR, 1, b"")) == 0
