"""Headers as columns: what they say, and what has no row."""

import struct

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lab.injecting.heads import Heads, option_places


def test_columns_are_what_the_packets_say(backgrounds, tmp_path):
    ends = ("192.168.7.23", "93.184.1.1")
    syn = backgrounds.segment((40_000, 443), 7, 0, 2, 64_800, mss=1_380)
    data = backgrounds.segment((40_000, 443), 8, 99, 24, 131, b"abc")
    query = struct.pack(">HHHH", 50_000, 53, 11, 0) + b"xyz"
    said = [(6, syn, 64, 500), (6, data, 63, 501), (17, query, 62, 0)]
    packets = [(10 + k, True, backgrounds.datagram(ends, *rest)) for k, rest in enumerate(said)]
    packets.append((20, True, backgrounds.datagram(ends, 1, b"\x08\0\0\0\0\0\0\0", 64, 1)))  # ICMP: no row
    packets.append((21, True, backgrounds.datagram(ends, 6, syn[:12], 64, 1)))  # a header that is cut: no row
    heads, _ = backgrounds.heads_in(backgrounds.Background(packets).save(tmp_path / "x.pcap"))
    assert heads.row.tolist() == [0, 1, 2]
    assert heads.ttl.tolist() == [64, 63, 62]
    assert heads.ident.tolist() == [500, 501, 0]
    assert heads.mss.tolist() == [1_380, -1, -1]
    assert heads.scale.tolist() == [9, -1, -1]
    assert heads.window.tolist() == [64_800, 131, -1]
    assert heads.size.tolist() == [0, 3, 3]
    assert heads.seq.tolist() == [7, 8, -1]
    assert set(heads.fragment.tolist()) == {0x4000}


def test_joining_nothing_is_nothing():
    assert len(Heads.joined([])) == 0


@given(st.binary(min_size=40, max_size=40), st.integers(20, 60))
def test_options_of_any_bytes_end(options, length):
    header = np.zeros((1, 60), np.int64)
    header[0, 20:] = list(options)
    for place in option_places(header, np.array([length])).values():
        assert place[0] == -1 or 20 <= place[0] < length


def test_options_are_found_behind_padding():
    header = np.zeros((1, 60), np.int64)
    header[0, 20:29] = [1, 1, 3, 3, 7, 1, 2, 4, 5]
    assert {kind: place[0] for kind, place in option_places(header, np.array([30])).items()} == {2: 26, 3: 22}
