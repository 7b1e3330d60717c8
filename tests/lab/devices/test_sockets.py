"""Rows of /proc/net, read from what this very kernel prints and from lines by hand."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.devices.sockets import SAMPLE_COMMAND, Socket, parse_sockets, sampled_sockets

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
ROW = "   0: 2404A8C0:A5B0 1744753F:01BB 08 00000000:00000000 00:00000000 00000000 10194        0 5451206 1 0 20 4 30 10 -1\n"
MAPPED = (
    "   1: 0000000000000000FFFF0000030012AC:15B3 0000000000000000FFFF0000010012AC:C350 01 "
    "00000000:00000000 00:00000000 00000000     0        0 470537 1 0 20\n"
)
WAITING = "   2: 0100007F:1F90 0100007F:8124 06 00000000:00000000 03:00001770 00000000     0        0 0 3 0\n"
LISTENING = "   3: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 10123        0 77 1 0 100 0\n"


def test_rows_by_hand():
    assert parse_sockets("tcp", HEAD + ROW + WAITING + LISTENING) == (
        Socket("tcp", 10194, ("192.168.4.36", 42416), ("63.117.68.23", 443), "close-wait", 5451206),
        Socket("tcp", None, ("127.0.0.1", 8080), ("127.0.0.1", 33060), "time-wait", 0),
        Socket("tcp", 10123, ("0.0.0.0", 8080), None, "listen", 77),
    )
    assert parse_sockets("tcp6", HEAD + MAPPED)[0].peer == ("172.18.0.1", 50000)
    assert all(row.sampled for row in parse_sockets("tcp", HEAD + ROW))


@pytest.mark.parametrize(
    ("family", "kind", "table"),
    [
        (socket.AF_INET, socket.SOCK_STREAM, "tcp"),
        (socket.AF_INET, socket.SOCK_DGRAM, "udp"),
    ],
)
def test_a_socket_of_this_kernel_is_found(family, kind, table):
    path = Path(f"/proc/net/{table}")
    if not path.exists():
        pytest.skip("no /proc/net here")
    with socket.socket(family, kind) as mine:
        mine.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            mine.listen()
        rows = [row for row in parse_sockets(table, path.read_text()) if row.local == mine.getsockname()]
    assert [(row.proto, row.uid, row.peer) for row in rows] == [(table, os.getuid(), None)]


def test_a_phone_is_asked_once_for_all_tables():
    asked = []

    class Phone:
        def shell(self, words):
            asked.append(words)
            return (
                f"==droidrange tcp\n{HEAD}{ROW}==droidrange tcp6\n{HEAD}{MAPPED}==droidrange udp\n==droidrange udp6\n"
            )

    assert [row.uid for row in sampled_sockets(Phone())] == [10194, 0]
    assert asked == [f"{SAMPLE_COMMAND}; true"]


@given(
    st.one_of(
        st.text(max_size=200),
        st.tuples(st.text(max_size=9), st.integers(0, 100)).map(lambda x: ROW[: x[1]] + x[0] + ROW[x[1] :]),
    )
)
def test_any_text_gives_rows_or_none(text):
    for row in parse_sockets("tcp", text):
        assert 0 <= row.local[1] < 65536
