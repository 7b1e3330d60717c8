"""Pairs of endpoints."""

import pyarrow as pa
import pytest

from detector.imports.endpoint_pairs import pairs

ROW = {"client": "10.0.0.2", "client_port": 40000, "server": "9.9.9.9", "server_port": 443, "proto": "tcp"}
BACK = {**ROW, "client": "9.9.9.9", "client_port": 443, "server": "10.0.0.2", "server_port": 40000}


def test_both_directions_are_one_pair_and_one_of_them_is_low():
    pair, low = pairs(pa.Table.from_pylist([ROW, BACK]))
    assert pair[0] == pair[1]
    assert sorted(low.tolist()) == [False, True]


@pytest.mark.parametrize(
    "other", [{"proto": "udp"}, {"client_port": 40001}, {"server": "8.8.8.8"}, {"server_port": None}]
)
def test_whatever_differs_is_another_pair(other):
    pair, _ = pairs(pa.Table.from_pylist([ROW, ROW | other]))
    assert pair[0] != pair[1]


def test_no_rows_have_no_pairs():
    pair, low = pairs(pa.Table.from_pylist([ROW]).slice(0, 0))
    assert (len(pair), len(low)) == (0, 0)
