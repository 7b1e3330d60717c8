"""Pieces of connections a sensor forgot, put together again."""

import pyarrow as pa

from detector.imports.continued import continued, rejoined

HOUR = 3_600_000_000
NAMES = ("key", "client", "client_port", "server", "server_port", "proto", "start", "end", "packets_up", "packets_down")


def flows(*rows):
    columns = {name: [row[k] for row in rows] for k, name in enumerate(NAMES)}
    counts = {"bytes_up": [row[10] for row in rows], "bytes_down": [row[11] for row in rows]}
    more = {"established": [row[12] for row in rows], "opened": [row[13] for row in rows]}
    return pa.table({**columns, **{name: pa.array(values, pa.int64()) for name, values in counts.items()}, **more})


HEAD = (7, "a", 1, "b", 2, "tcp", 0, 10, 1, 2, 30, 40, True, True)


def test_a_piece_with_its_ends_swapped_goes_to_the_flow_before_it():
    piece = (8, "b", 2, "a", 1, "tcp", 500, 600, 10, 20, 300, 400, False, False)
    merged, became = continued(flows(HEAD, piece))
    (row,) = merged.to_pylist()
    assert (row["key"], row["start"], row["end"], row["established"]) == (7, 0, 600, True)
    assert (row["packets_up"], row["packets_down"], row["bytes_up"], row["bytes_down"]) == (21, 12, 430, 340)
    assert became == {8: 7}
    assert "opened" not in merged.column_names


def test_a_piece_without_counts_makes_them_unknown():
    piece = (8, "a", 1, "b", 2, "tcp", 500, 600, 1, 1, None, 5, None, False)
    (row,) = continued(flows(HEAD, piece))[0].to_pylist()
    assert (row["bytes_up"], row["bytes_down"]) == (None, 45)


def test_syn_silence_and_other_endpoints_begin_flows_of_their_own():
    rows = [
        HEAD,
        (8, "a", 1, "b", 2, "tcp", 500, 600, 1, 1, 1, 1, True, True),
        (9, "a", 1, "b", 2, "tcp", 600 + HOUR + 1, 600 + HOUR + 2, 1, 1, 1, 1, True, False),
        (10, "a", 3, "b", 2, "tcp", 500, 600, 1, 1, 1, 1, True, False),
    ]
    merged, became = continued(flows(*rows))
    assert (merged["key"].to_pylist(), became) == ([7, 8, 9, 10], {})


def test_other_tables_follow():
    table = pa.table({"flow": [8, 5, None], "x": [1, 2, 3]})
    assert rejoined(table, {8: 7})["flow"].to_pylist() == [7, 5, None]
    assert rejoined(table, {}) is table
