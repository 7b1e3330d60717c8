"""Lines of JSON: typed columns, faults with their lines."""

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from detector.imports.objects import read_objects

SCHEMA = pa.schema([("ts", pa.float64()), ("id", pa.struct({"h": pa.string()})), ("n", pa.int64())])
GOOD = b'{"ts": 1, "id": {"h": "a", "other": []}, "label": "Malicious"}\n{"n": 7}\n'


def read(body):
    return read_objects(memoryview(body), SCHEMA, 1)


def test_only_what_is_asked_for_comes():
    found = read(GOOD)
    assert found.table.to_pylist() == [{"ts": 1.0, "id": {"h": "a"}, "n": None}, {"ts": None, "id": None, "n": 7}]
    assert found.count == 2


def test_faults_have_lines_and_the_rest_is_kept():
    found = read(GOOD + b'[1]\n{"n": "x"}\n{"ts": 2}\n{"ts"')
    assert [fault[0] for fault in found.faults] == [3, 4, 6]
    assert found.table.num_rows == 3
    assert found.count == 6


def test_empty_lines_are_none():
    assert read(b"\n\n" + GOOD).table.num_rows == 2
    assert read(b"").count == 0


@given(st.binary(max_size=100))
def test_any_bytes_are_rows_or_faults(body):
    assert read(body).count >= 0
