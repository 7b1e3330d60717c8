"""What one reading of a background tells."""

import hashlib

import pytest

from lab.errors import EvidenceError
from lab.injecting.habits import OPENING, STREAM, UP
from lab.injecting.reading import manner_of, read_background, spread


def read(path, **how):
    return read_background(path, allow_partial=False, advance=lambda _done, _total: None, **how)


def test_it_is_counted_hashed_and_imitated(backgrounds, tmp_path):
    path = backgrounds.background(30).save(tmp_path / "home.pcap", link=113)
    known = read(path)
    assert (known.background.link, known.background.partial) == (113, None)
    assert known.background.packets == known.census.packets == len(backgrounds.background(30).packets)
    assert known.background.end == path.stat().st_size
    assert known.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    manner, tapes = manner_of(known, backgrounds.PHONE)
    assert manner.link == 113
    assert len(tapes.own[STREAM, UP, OPENING]) == 30
    assert len(tapes.all[STREAM, UP, OPENING]) == 30


def test_two_links_cannot_be_merged(backgrounds, tmp_path):
    path = backgrounds.background(3).save(tmp_path / "a.cap", "pcapng")
    other = backgrounds.background(3).save(tmp_path / "b.cap", "pcapng", link=101)
    path.write_bytes(path.read_bytes() + other.read_bytes())
    with pytest.raises(EvidenceError, match="found link types 1, 101, expected one"):
        read(path)


@pytest.mark.parametrize(("count", "most"), [(0, 5), (5, 5), (100, 16), (1_000, 100), (9, 8)])
def test_a_sample_is_runs_over_all_of_it(count, most):
    rows = spread(count, most).tolist()
    assert len(rows) <= max(most, min(count, 8))
    assert set(rows) <= set(range(count))
    assert not count or (rows[0], rows[-1]) == (0, count - 1)
