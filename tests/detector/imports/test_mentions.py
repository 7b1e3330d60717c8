"""Connections by their mentions in several logs."""

import pyarrow as pa

from detector.imports.mentions import FirstLine, only_mentioned


def mentions(*rows):
    names = ("uid", "client", "client_port", "server", "server_port", "proto", "start")
    return pa.table({name: [row[k] for row in rows] for k, name in enumerate(names)})


def test_a_connection_lasts_from_its_first_to_its_last_mention():
    told = mentions(("a", "c", 1, "s", 2, "tcp", 5), ("b", "c", 1, "s", 2, "tcp", 6), ("a", "c", 1, "s", 2, "tcp", 9))
    found = only_mentioned(told, pa.array(["b"]))
    assert found.select(["uid", "start", "end"]).to_pylist() == [{"uid": "a", "start": 5, "end": 9}]


def test_the_first_line_counts_and_unknown_connections_are_null():
    first = FirstLine(pa.chunked_array([["x", "a"]]), pa.table({"uid": ["a", "a"], "host": ["one", "two"]}))
    assert first.column("host").to_pylist() == [None, "one"]
    assert first.knows().to_pylist() == [False, True]
