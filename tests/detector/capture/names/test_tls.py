"""ClientHello parsing, and JA4 against the vector that its authors publish."""

from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.capture.names.tls import GREASE, client_hello, is_tls, parse_hello

CIPHERS = "1301 1302 1303 c02b c02f c02c c030 cca9 cca8 c013 c014 009c 009d 002f 0035"
ALGORITHMS = "0403 0804 0401 0503 0805 0501 0806 0601"
#: FoxIO, ja4/technical_details/JA4.md: the example that runs through the document.
PUBLISHED = "t13d1516h2_8daaf6152771_e5627efa2ab1"


def shorts(text: str) -> bytes:
    return bytes.fromhex(text)


def extension(kind: int, body: bytes = b"") -> bytes:
    return pack(">HH", kind, len(body)) + body


def sni(name: bytes) -> bytes:
    return extension(0, pack(">HBH", len(name) + 3, 0, len(name)) + name)


def alpn(*names: bytes) -> bytes:
    listed = b"".join(bytes([len(name)]) + name for name in names)
    return extension(16, pack(">H", len(listed)) + listed)


def counted(raw: bytes) -> bytes:
    return pack(">H", len(raw)) + raw


def hello(extensions: list[bytes], ciphers: str = CIPHERS, legacy: int = 0x0303) -> bytes:
    body = pack(">H", legacy) + bytes(32) + b"\x20" + bytes(32) + counted(shorts(ciphers)) + b"\1\0"
    body += counted(b"".join(extensions))
    return b"\1" + len(body).to_bytes(3, "big") + body


def record(message: bytes) -> bytes:
    return b"\x16\3\1" + counted(message)


PUBLISHED_EXTENSIONS = [
    extension(0x5A5A),
    extension(0x1B),
    sni(b"www.shop.example"),
    extension(0x33, bytes(40)),
    alpn(b"h2", b"http/1.1"),
    extension(0x4469),
    extension(0x17),
    extension(0x2D),
    extension(0x0D, counted(shorts(ALGORITHMS))),
    extension(0x05),
    extension(0x23),
    extension(0x12),
    extension(0x2B, b"\x06" + shorts("dada 0304 0303")),
    extension(0xFF01),
    extension(0x0B),
    extension(0x0A),
    extension(0x15, bytes(100)),
    extension(0x8A8A),
]


def test_published_ja4_vector() -> None:
    found = client_hello(record(hello(PUBLISHED_EXTENSIONS, "baba " + CIPHERS)))
    assert found is not None
    assert (found.sni, found.alpn, found.ja4) == ("www.shop.example", "h2", PUBLISHED)


def test_order_and_grease_do_not_change_ja4_but_a_cipher_does() -> None:
    shuffled = client_hello(record(hello(PUBLISHED_EXTENSIONS[::-1], CIPHERS + " 1a1a")))
    other = client_hello(record(hello(PUBLISHED_EXTENSIONS, CIPHERS + " c0ff")))
    assert shuffled is not None
    assert other is not None
    assert shuffled.ja4 == PUBLISHED
    assert other.ja4 != PUBLISHED


def test_order_of_signature_algorithms_does_change_ja4() -> None:
    other = [
        e if e[:2] != b"\0\x0d" else extension(13, counted(shorts(ALGORITHMS)[::-1])) for e in PUBLISHED_EXTENSIONS
    ]
    found = client_hello(record(hello(other)))
    assert found is not None
    assert found.ja4 is not None
    assert found.ja4.split("_")[1] == PUBLISHED.split("_")[1]
    assert found.ja4 != PUBLISHED


@pytest.mark.parametrize(
    ("protocol", "ends"),
    [(b"h2", "h2"), (b"http/1.1", "h1"), (b"h", "hh"), (b"\xab", "ab"), (b"\xab\xcd", "ad"), (b"0\xab", "3b")],
)
def test_ja4_takes_the_ends_of_the_first_alpn(protocol: bytes, ends: str) -> None:
    found = client_hello(record(hello([alpn(protocol)])))
    assert found is not None
    assert found.ja4 is not None
    assert found.ja4.startswith(f"t12i1501{ends}_")


def test_bare_hello_has_zero_hashes_and_no_names() -> None:
    found = client_hello(record(hello([], ciphers="", legacy=0x0301)))
    assert found is not None
    assert (found.sni, found.alpn, found.ja4) == (
        None,
        None,
        "t10i000000_000000000000_000000000000",
    )


@pytest.mark.parametrize("size", [1, 7, 50, 200])
def test_hello_split_over_records_reads_the_same(size: int) -> None:
    message = hello(PUBLISHED_EXTENSIONS)
    stream = b"".join(record(message[at : at + size]) for at in range(0, len(message), size))
    found = client_hello(stream) if size > 3 else parse_hello(message, "t")
    assert found is not None
    assert found.ja4 == PUBLISHED


def test_cut_hello_keeps_the_name_and_gives_no_ja4() -> None:
    stream = record(hello(PUBLISHED_EXTENSIONS))
    found = client_hello(stream[:-60])
    assert found is not None
    assert (found.sni, found.ja4) == ("www.shop.example", None)


@given(st.integers(0, 400))
def test_truncation_never_raises(size: int) -> None:
    stream = record(hello(PUBLISHED_EXTENSIONS))
    found = client_hello(stream[:size])
    assert found is None or found.ja4 is None or size >= len(stream)


@given(st.integers(0, 400), st.integers(0, 255))
def test_one_changed_byte_never_raises(at: int, value: int) -> None:
    stream = bytearray(record(hello(PUBLISHED_EXTENSIONS)))
    stream[at % len(stream)] = value
    found = client_hello(bytes(stream))
    assert found is None or found.ja4 is None or len(found.ja4) == len(PUBLISHED)


def test_tls_records_are_told_from_other_bytes() -> None:
    assert is_tls(bytes.fromhex("1703030020") + bytes(32))
    assert is_tls(bytes.fromhex("160303004a02"))
    assert not is_tls(bytes.fromhex("160303004a05"))
    assert not is_tls(bytes.fromhex("170303ffff") + bytes(32))
    assert not is_tls(b"GET / HTTP/1.1")


def test_grease_is_the_sixteen_values_of_rfc_8701() -> None:
    assert len(GREASE) == 16
    assert {0x0A0A, 0x7A7A, 0xFAFA} <= GREASE
