"""Log files opened: plain, gzip of several members, cut gzip."""

import gzip
import mmap

import pytest

from detector.contract import EvidenceError
from detector.imports.opened import HEAD, head_of, open_log

TEXT = b"one\ntwo\nthree\n" * 1000


def test_plain_file_is_mapped_and_an_empty_one_is_nothing(opened):
    log = opened(TEXT)
    assert isinstance(log.data, mmap.mmap)
    assert (log.data[:], log.cut) == (TEXT, None)


def test_empty_file_has_no_bytes(opened):
    assert (opened(b"").data, opened(b"").cut) == (b"", None)


def test_every_member_of_a_gzip_file_is_read(opened):
    log = opened(gzip.compress(b"one\n") + gzip.compress(b"two\n"))
    assert (log.data, log.cut) == (b"one\ntwo\n", None)


def test_cut_gzip_gives_what_it_has_and_says_so(opened):
    log = opened(gzip.compress(bytes(range(256)) * 4000)[:-20])
    assert log.data[:3] == b"\0\1\2"
    assert log.cut == ("the end of the file inside a gzip stream", "its trailer")


def test_damaged_gzip_says_so(opened):
    packed = bytearray(gzip.compress(TEXT))
    packed[20] ^= 0xFF
    log = opened(bytes(packed))
    assert log.cut is not None
    assert "damaged gzip" in log.cut[0] or "end of the file" in log.cut[0]


def test_head_is_unpacked_and_bounded(tmp_path):
    path = tmp_path / "log"
    path.write_bytes(gzip.compress(b"a" * 10_000_000))
    assert head_of(path) == b"a" * HEAD
    path.write_bytes(b"\x1f\x8bnonsense")
    assert head_of(path) == b""


def test_lines_are_counted_up_to_a_byte(opened):
    log = opened(b"a\nb\nc\n")
    assert [log.lines_before(at) for at in (0, 2, 4, 6)] == [0, 1, 2, 3]


def test_absent_file_is_an_evidence_error(tmp_path):
    for read in (open_log, head_of):
        with pytest.raises(EvidenceError, match="unreadable"):
            read(tmp_path / "none")
