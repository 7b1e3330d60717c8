"""What every wire format on disk must hold, whatever it is: a new file is under test the moment it exists."""

from dataclasses import replace
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from xml.etree.ElementTree import fromstring

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lab.protocols
from lab.protocols import Message, drawn, filler, filler_text, filler_xml, fresh, moved_behind

FOLDER = Path(lab.protocols.__file__).parent
FORMATS = sorted(p.stem for p in FOLDER.glob("*.py") if p.stem not in {"__init__", "tls", "real_tls"})
ROWS = [(1_000, 200, 900, 40), (2_000_000, 60, 0, 0), (3_000_000, 0, 300, 0), (9_000_000, 5_000, 40_000, 100)]


def said(name, dialogue):
    return list(import_module(f"lab.protocols.{name}").messages(dialogue))


def test_the_formats_were_found():
    assert {"http", "dns", "websocket", "socks5", "imap", "mux", "push", "opaque", "datagram"} <= set(FORMATS)


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_generator_gives_the_same_bytes_and_another_does_not(name, dialogue):
    first = said(name, dialogue(ROWS, seed=3))
    assert first == said(name, dialogue(ROWS, seed=3))
    assert [m.data for m in first] != [m.data for m in said(name, dialogue(ROWS, seed=4))]


@pytest.mark.parametrize("name", FORMATS)
def test_an_answer_is_never_earlier_than_what_it_answers(name, dialogue):
    messages = said(name, dialogue(ROWS, start=0))
    assert messages
    assert all(m.data for m in messages)
    for before, after in pairwise(messages):
        if not after.pushed:
            assert after.time >= before.time or (after.from_client and not before.from_client)


@pytest.mark.parametrize("name", FORMATS)
def test_nothing_planned_and_not_opened_says_nothing(name, dialogue):
    assert said(name, dialogue([])) == []


@pytest.mark.parametrize("name", FORMATS)
def test_transport_is_named(name):
    assert import_module(f"lab.protocols.{name}").TRANSPORT in {"tcp", "udp"}


@pytest.mark.parametrize(
    "name", [name for name in FORMATS if import_module(f"lab.protocols.{name}").TRANSPORT == "udp"]
)
def test_no_datagram_is_larger_than_its_path_takes(name, dialogue):
    """What the least MTU of IPv6, 1280, leaves behind the headers of IPv6 and UDP."""
    rows, tight = [(0, 1_300, 40_000, 40), (9_000_000, 9_000, 900, 40)], 1_232
    for options in ({}, {"form": "plain"}, {"relay": "1"}) if name in {"datagram", "stun"} else ({},):
        wide = dialogue(rows, **options)
        assert max(len(one.data) for one in said(name, replace(wide, room=tight))) <= tight
        plain = said(name, dialogue(rows, **options))
        assert plain == said(name, replace(dialogue(rows, **options), room=1_400)), "it has room for all that is said"


@given(st.integers(0, 200_000), st.integers(0, 2**32))
def test_filler_has_the_size_asked_for(size, seed):
    assert len(filler(np.random.default_rng(seed), size)) == size


@given(st.integers(0, 60_000), st.integers(0, 2**32))
def test_a_document_has_the_size_asked_for(size, seed):
    said = filler_xml(np.random.default_rng(seed), size)
    assert len(said) == size
    if size >= len(b"<r/>"):
        assert fromstring(said).tag


def test_filler_does_not_compress_and_text_stays_in_its_alphabet():
    import zlib

    data = filler(np.random.default_rng(1), 300_000)
    assert len(zlib.compress(data, 9)) > 0.99 * len(data)
    text = filler_text(np.random.default_rng(1), 10_000)
    assert set(text) <= set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    assert len(set(text)) == 64


def test_no_filler_is_taken_for_the_beginning_of_a_protocol():
    said = [filler(np.random.default_rng(seed), 16_384) for seed in range(200)]
    for begins in (b"\x16\x03", b"\x82\x21", b"\x80\x01"):
        assert [data.find(begins) for data in said] == [-1] * 200
    heads = [data[k : k + 4] for data in said for k in range(16_000) if data[k + 2] == 1]
    assert len(heads) > 200
    assert [head for head in heads if head[0] >= 0x80] == []


def test_fresh_bytes_use_every_bit_and_no_two_draws_are_alike():
    rng = np.random.Generator(np.random.SFC64(1))
    made = [fresh(rng, size) for size in (1, 7, 8, 9, 32, 4_000)]
    assert [len(data) for data in made] == [1, 7, 8, 9, 32, 4_000]
    bits = np.unpackbits(np.frombuffer(made[-1], dtype=np.uint8)).reshape(-1, 64)
    assert (np.abs(bits.mean(axis=0) - 0.5) < 0.15).all()
    assert len({fresh(rng, 8) for _ in range(2_000)}) == 2_000
    assert fresh(rng, 0) == b""


def test_drawn_reaches_every_integer_of_its_range_and_no_other():
    rng = np.random.default_rng(1)
    assert {drawn(rng, 5, 9) for _ in range(200)} == {5, 6, 7, 8}


def test_what_was_meant_for_the_setup_moves_behind_it_and_the_rest_stays():
    asked = [Message(0, True, b"a"), Message(7, False, b"b"), Message(1, True, b"c"), Message(900, True, b"d")]
    assert [m.time for m in moved_behind(asked, 100)] == [100, 107, 107, 900]
    assert list(moved_behind(asked, 0)) == asked
