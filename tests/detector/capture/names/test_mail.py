"""Banners and first commands."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.capture.names.mail import banner


@pytest.mark.parametrize(
    ("up", "down", "spoken"),
    [
        (b"EHLO phone\r\n", b"220 mx.example ESMTP\r\n", "smtp"),
        (b"", b"220 mx.example ESMTP\r\n", "smtp"),
        (b"USER a\r\n", b"220 mx.example ready\r\n", "ftp"),
        (b"a1 LOGIN u p\r\n", b"* OK ready\r\n", "imap"),
        (b"a1 CAPABILITY\r\n", b"", "imap"),
        (b"", b"+OK POP3\r\n", "pop3"),
        (b"SSH-2.0-x\r\n", b"", "ssh"),
        (b"", b"SSH-2.0-x\r\n", "ssh"),
        (b"\x10\x1a\x00\x04MQTT\x04", b"", "mqtt"),
        (b"CNXN" + bytes(20), b"", "adb"),
        (b"\x03\x00\x00\x13\x0e\xe0\x00", b"", "rdp"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"", "http2"),
        (b"<?xml version='1.0'?><stream:stream to='a'>", b"", "xmpp"),
        (b"", b"220 hello\r\n", None),
        (b"a1 LOGIN", b"+NO", None),
        (b"\x10\x1a\x00\x05MQTT", b"", None),
    ],
)
def test_protocol(up: bytes, down: bytes, spoken: str | None) -> None:
    assert banner(up, down) == spoken


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_arbitrary_bytes_never_raise(up: bytes, down: bytes) -> None:
    assert banner(b"SSH-" + up, down) == "ssh"
    assert banner(b"\0" + up, b"\0" + down) is None
