"""QUIC Initial packets: keys as in RFC 9001 appendix A.1, its sample ClientHello, hostile changes."""

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from detector.capture.names import identify
from detector.capture.names.quic import _client_keys, initial_hello, is_quic

DESTINATION = bytes.fromhex("8394c8f03e515708")
#: RFC 9001 appendix A.2: the CRYPTO frame of the sample client Initial.
CRYPTO = bytes.fromhex(
    "060040f1010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e86804fe3a47f06a2b69484c000004130113020100"
    "00c000000010000e00000b6578616d706c652e636f6dff01000100000a00080006001d0017001800100007000504616c706e000500"
    "050100000000003300260024001d00209370b2c9caa47fbabaf4559fedba753de171fa71f50f1ce15d43e994ec74d748002b000302"
    "0304000d0010000e0403050306030203080408050806002d00020101001c00024001003900320408ffffffffffffffff05048000ff"
    "ff07048000ffff0801100104800075300901100f088394c8f03e51570806048000ffff"
)


def initial(frames: bytes, number: int = 2) -> bytes:
    """A protected Initial packet (RFC 9001 section 5.4) with a packet number of four bytes."""
    key, vector, protection = _client_keys(DESTINATION)
    frames = frames.ljust(1162, b"\0")
    length = (len(frames) + 4 + 16) | 0x4000
    head = b"\xc3\0\0\0\1\x08" + DESTINATION + b"\0\0" + length.to_bytes(2, "big") + number.to_bytes(4, "big")
    nonce = (int.from_bytes(vector, "big") ^ number).to_bytes(12, "big")
    sealed = AESGCM(key).encrypt(nonce, frames, head)
    mask = Cipher(algorithms.AES(protection), modes.ECB()).encryptor().update(sealed[:16])
    first = head[0] ^ mask[0] & 0x0F
    hidden = bytes(a ^ b for a, b in zip(head[-4:], mask[1:5], strict=True))
    return bytes([first]) + head[1:-4] + hidden + sealed


def test_keys_are_those_of_rfc_9001_appendix_a1() -> None:
    key, vector, protection = _client_keys(DESTINATION)
    assert key.hex() == "1f369613dd76d5467730efcbe3b1a22d"
    assert vector.hex() == "fa044b2f42a3fd3b46fb255c"
    assert protection.hex() == "9f50449e04a0e810283a1e9933adedd2"


def test_sample_packet_starts_as_rfc_9001_appendix_a2_prints_it() -> None:
    assert initial(CRYPTO).hex().startswith("c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11")


def test_server_name_and_ja4_are_read() -> None:
    found = identify("udp", 40_000, 443, initial(CRYPTO), b"")
    assert (found.app_proto, found.sni, found.alpn) == ("quic", "example.com", "alpn")
    assert found.ja4 is not None
    assert found.ja4.startswith("q13d0211an_")


def test_crypto_frames_out_of_order_and_over_two_packets() -> None:
    message = CRYPTO[4:]
    late = b"\x06\x40\x78" + (len(message) - 120 | 0x4000).to_bytes(2, "big") + message[120:]
    early = b"\x01\x06\x00\x40\x78" + message[:120]
    found = initial_hello(initial(late, 0) + initial(early, 1))
    assert found is not None
    assert found.sni == "example.com"


def test_packet_that_does_not_authenticate_is_only_quic() -> None:
    packet = bytearray(initial(CRYPTO))
    packet[200] ^= 1
    assert initial_hello(bytes(packet)) is None
    assert is_quic(bytes(packet))
    assert identify("udp", 40_000, 443, bytes(packet), b"").app_proto == "quic"


@given(st.binary(max_size=300), st.integers(0, 1400))
def test_hostile_packets_never_raise(tail: bytes, cut: int) -> None:
    whole = initial(CRYPTO)
    assert initial_hello(whole[:cut] + tail) is None or cut >= len(whole)
    assert initial_hello(b"\xc0\0\0\0\1" + tail) is None
    assert initial_hello(initial(tail)) is None or tail[:1] in b"\0\1\6"
