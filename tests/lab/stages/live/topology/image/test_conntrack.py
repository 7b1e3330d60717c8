"""Conntrack entries of UDP: what is asked for is what is understood, and headers are not payload."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.stages.live.topology.image.conntrack import delete_request, get_request, parse_entry
from lab.stages.live.topology.image.netlink import attribute, attributes, messages

SOURCE, TARGET = ("10.88.1.2", 40000), ("198.18.5.5", 53)


def counters(packets, size):
    return attribute(1, struct.pack(">Q", packets)) + attribute(2, struct.pack(">Q", size))


def entry(*, extra=b""):
    (request,) = messages(get_request(SOURCE, TARGET))
    return request.body + extra


def test_an_entry_is_understood_as_it_is_asked_for():
    found = parse_entry(entry(extra=attribute(9 | 0x8000, counters(3, 284)) + attribute(10, counters(1, 128))))
    assert (found.source, found.target, found.sent, found.answered) == (SOURCE, TARGET, 200, 100)


def test_without_accounting_nothing_is_counted():
    found = parse_entry(entry())
    assert (found.sent, found.answered) == (None, None)


def test_get_and_delete_name_the_same_flow():
    (get,), (delete,) = messages(get_request(SOURCE, TARGET)), messages(delete_request(SOURCE, TARGET))
    assert (get.kind, delete.kind) == (0x101, 0x102)
    assert get.body == delete.body
    assert set(attributes(get.body[4:])) == {1}


def test_other_protocols_are_none():
    assert parse_entry(entry().replace(attribute(1, b"\x11"), attribute(1, b"\x06"))) is None


@given(st.binary(max_size=200))
def test_no_bytes_break_it(data):
    parse_entry(data)
    parse_entry(entry(extra=data))


@pytest.mark.parametrize("cut", range(0, 50, 7))
def test_what_is_cut_is_none(cut):
    assert parse_entry(entry()[:cut]) is None
