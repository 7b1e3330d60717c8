import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lab.replaying.checksums import complement, put, sums, swapped


def by_the_book(data: bytes) -> int:
    """RFC 1071 section 4.1, in words of network order."""
    total = sum(int.from_bytes(data[n : n + 2].ljust(2, b"\0"), "big") for n in range(0, len(data), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


@given(st.lists(st.binary(min_size=1, max_size=90), min_size=1, max_size=8))
def test_sums_of_spans_are_those_of_the_rfc_whatever_lies_behind_them(spans):
    buffer, begins = bytearray(), []
    for span in spans:
        begins.append(len(buffer))
        buffer += span + b"\xaa" * (2 + len(span) % 2)
    begin = np.array(begins)
    found = complement(sums(np.frombuffer(bytes(buffer), np.uint8), begin, begin + [len(span) for span in spans]))
    assert [int(one) for one in found.byteswap()] == [by_the_book(span) for span in spans]


def test_words_are_put_as_they_are_summed():
    buffer = np.zeros(8, np.uint8)
    put(buffer, np.array([2, 6]), np.array([0x3412, 0x7856], np.uint16))
    assert bytes(buffer) == bytes.fromhex("0000123400005678")
    assert swapped(np.array([0x1234])).tolist() == [0x3412]
