"""JSON lines of foreign tools: what is none is told with its line."""

from __future__ import annotations

import pytest

from detector.junk import JunkError, json_lines


def test_blank_lines_are_counted_and_left_out():
    assert [*json_lines([b"[1]\n", b" \n", b'"a"'], "anything")] == [(1, b"[1]\n", [1]), (3, b'"a"', "a")]


@pytest.mark.parametrize("line", [b"{", b"\xff", b"[" * 100_000, b"x" * 500])
def test_what_is_no_json_is_told_with_its_line(line):
    with pytest.raises(JunkError, match=r"^line 2: found '.{0,90}' \(.*\), expected an alert$"):
        list(json_lines([b"1", line], "an alert"))
