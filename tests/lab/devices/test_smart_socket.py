"""What an adb server may answer, and what we make of it."""

from __future__ import annotations

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.devices.errors import DeviceError
from lab.devices.smart_socket import SmartSocket, query, request, size_of


def test_a_request_and_its_answer(fake_adb):
    assert request("host:version") == b"000chost:version"
    assert query(fake_adb.address, "host:version") == "0029"
    with pytest.raises(ValueError, match="65535"):
        request("x" * 70000)


@given(st.binary(max_size=6))
def test_a_length_is_four_hexadecimal_digits(raw):
    try:
        assert 0 <= size_of(raw) <= 0xFFFF
    except ValueError:
        assert (
            len(raw) != 4
            or not raw.decode("latin-1").isalnum()
            or max(raw.lower(), default=0).to_bytes(1, "big") >= b"g"
        )


def test_the_servers_own_words_are_kept(fake_adb):
    with pytest.raises(DeviceError, match="device 'nope' not found"), SmartSocket(fake_adb.address, "nope", 2) as link:
        link.transport("shell,v2,raw:true")


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (b"", "closed in the middle"),
        (b"OK", "closed in the middle"),
        (b"NOPE", "neither OKAY nor FAIL"),
        (b"OKAY00zz", "hexadecimal"),
        (b"OKAY0010abc", "closed in the middle"),
        (b"FAIL0005ab", "closed in the middle"),
    ],
)
def test_a_broken_answer_is_a_fault_that_names_it(fake_adb, answer, found):
    fake_adb.hooks["host:version"] = lambda connection: connection.sendall(answer)
    with pytest.raises(DeviceError, match=found):
        query(fake_adb.address, "host:version")


def test_silence_ends_at_the_deadline(fake_adb):
    fake_adb.hooks["host:version"] = lambda connection: connection.recv(1)
    with pytest.raises(DeviceError, match=r"no answer within 0\.05 s"):
        query(fake_adb.address, "host:version", 0.05)


def test_no_server_is_a_fault():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = taken.getsockname()
    with pytest.raises(DeviceError, match="no adb server answers"):
        query(address, "host:version")
