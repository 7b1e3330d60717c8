"""First messages of TLS, DNS and HTTP for the benchmark's capture, each of an even number of bytes."""

from __future__ import annotations

import struct

import numpy as np

MSS = 1400


def client_hello(name: str, rng: np.random.Generator) -> bytes:
    """A TLS 1.3 ClientHello with SNI and ALPN (RFC 8446), padded to an even length."""
    host = name.encode()
    sni = struct.pack(">HHHBH", 0, len(host) + 5, len(host) + 3, 0, len(host)) + host
    alpn = bytes.fromhex("0010000e000c02683208687474702f312e31")
    fixed = bytes.fromhex("000b00020100000a00080006001d00170018000d000a0008040308040401050300170000002b0005040304")
    fixed += bytes.fromhex("0303")
    share = bytes.fromhex("003300260024001d0020") + rng.bytes(32)
    extensions = sni + alpn + fixed + share
    pad = 200 - len(extensions) % 2
    extensions += struct.pack(">HH", 21, pad) + bytes(pad)
    suites = bytes.fromhex("130113021303c02bc02fc02cc030cca9cca8")
    body = b"\x03\x03" + rng.bytes(32) + b"\x20" + rng.bytes(32) + struct.pack(">H", len(suites)) + suites
    body += b"\x01\x00" + struct.pack(">H", len(extensions)) + extensions
    message = b"\x01" + len(body).to_bytes(3, "big") + body
    record = b"\x16\x03\x01" + struct.pack(">H", len(message)) + message
    assert len(record) % 2 == 0, len(record)
    return record


def server_hello(rng: np.random.Generator) -> bytes:
    """A TLS 1.3 ServerHello and the start of encrypted records, 1,400 bytes."""
    extensions = bytes.fromhex("002b00020304") + bytes.fromhex("00330024001d0020") + rng.bytes(32)
    body = b"\x03\x03" + rng.bytes(32) + b"\x20" + rng.bytes(32) + b"\x13\x01\x00"
    body += struct.pack(">H", len(extensions)) + extensions
    message = b"\x02" + len(body).to_bytes(3, "big") + body
    hello = b"\x16\x03\x03" + struct.pack(">H", len(message)) + message + b"\x14\x03\x03\x00\x01\x01"
    rest = MSS - len(hello) - 5
    return hello + b"\x17\x03\x03" + struct.pack(">H", rest) + rng.bytes(rest)


def dns_pair(name: str, ident: int, ttl_s: int, address: bytes) -> tuple[bytes, bytes]:
    """A query for A and its answer (RFC 1035); the name's length must make both even."""
    question = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\x00\x00\x01\x00\x01"
    query = struct.pack(">HHHHHH", ident, 0x0100, 1, 0, 0, 0) + question
    answer = struct.pack(">HHHHHH", ident, 0x8180, 1, 1, 0, 0) + question
    return query, answer + struct.pack(">HHHIH", 0xC00C, 1, 1, ttl_s, 4) + address


def http_pair(name: str, number: int) -> tuple[bytes, bytes]:
    """A GET request and the head of its answer, even lengths."""
    head = f"GET /item/{number} HTTP/1.1\r\nHost: {name}\r\nUser-Agent: Dalvik/2.1.0 (Linux; Android 16)\r\n"
    request = (head + "Accept: */*" + " " * (len(head) % 2 + 1) + "\r\n\r\n").encode()
    request += b"" if len(request) % 2 == 0 else b"\n"
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1200 \r\n\r\n"
    return request, answer + b"{" * (1200 + len(answer) % 2)
