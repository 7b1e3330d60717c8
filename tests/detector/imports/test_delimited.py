"""Separated lines: typed columns, remarks, faults with their lines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.imports.delimited import FLAG, PORT, REAL, TEXT, TIME, WHOLE, Layout, read_lines

LAYOUT = Layout(
    ["ts", "host", "port", "bytes", "local", "label"],
    {"ts": TIME, "host": TEXT, "port": PORT, "bytes": WHOLE, "local": FLAG},
)
GOOD = b"1.5\ta\t80\t7\tT\tMalicious\n-\t-\t-\t-\t-\t-\n2\tb\t0\t0\tF\t(empty)\n"


def read(body, layout=LAYOUT, first=1):
    return read_lines(memoryview(body), layout, first)


def test_wanted_columns_come_typed_and_the_label_does_not_come():
    found = read(GOOD)
    assert found.table.column_names == ["ts", "host", "port", "bytes", "local"]
    assert found.table.to_pylist() == [
        {"ts": 1.5, "host": "a", "port": 80, "bytes": 7, "local": True},
        dict.fromkeys(["ts", "host", "port", "bytes", "local"]),
        {"ts": 2.0, "host": "b", "port": 0, "bytes": 0, "local": False},
    ]
    assert (found.count, found.remarks, found.faults) == (3, 0, ())


def test_remarks_are_counted_wherever_they_stand():
    found = read(b"#close\t2026\n" + GOOD + b"#close\n")
    assert (found.table.num_rows, found.remarks, found.count) == (3, 2, 5)


@pytest.mark.parametrize(
    ("line", "found", "expected"),
    [
        (b"1.5\ta\t80", "3 columns", "6"),
        (b"x\ta\t80\t7\tT\t-", "'x' in column ts", "a value of kind time"),
        (b"nan\ta\t80\t7\tT\t-", "'nan' in column ts", "a value of kind time"),
        (b"1\ta\t70000\t7\tT\t-", "'70000' in column port", "a value of kind port"),
        (b"1\ta\t80\t-7\tT\t-", "'-7' in column bytes", "a value of kind count"),
        (b"1\ta\t80\t7\tmaybe\t-", "'maybe' in column local", "a value of kind bool"),
        (b"1\t\xff\t80\t7\tT\t-", "byte 0xff at place 3", "UTF-8"),
    ],
)
def test_what_is_wrong_with_a_line_is_told_and_the_others_are_kept(line, found, expected):
    read_ = read(GOOD + line + b"\n" + GOOD, first=9)
    assert read_.faults == ((12, found, expected),)
    assert read_.table.num_rows == 6
    assert read_.table.slice(0, 3).equals(read(GOOD).table)


def test_slow_reading_gives_what_quick_reading_gives():
    quick, slow = read(GOOD), read(GOOD + b"broken\n")
    assert slow.table.equals(quick.table)


def test_nothing_is_nothing():
    assert read(b"").count == 0


def test_a_text_that_is_the_number_of_nobody_is_a_fault():
    layout = Layout(["a"], {"a": REAL}, ",")
    assert read(b"1e999\n", layout).faults[0][1] == "'1e999' in column a"


@given(st.binary(max_size=120))
def test_any_bytes_are_rows_remarks_or_faults(body):
    found = read(body)
    lines = [line for line in body.split(b"\n") if line.strip(b"\r")]
    assert found.count <= len(lines) + body.count(b"\r")
