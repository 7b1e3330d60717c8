"""Parts of a capture are the capture: whatever the size of a part, packets and damage are those of the whole file."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detector.capture import CaptureError
from detector.capture.lanes import ONE_LANE
from detector.capture.mapped import MappedFile
from detector.capture.records import read_records
from lab.errors import EvidenceError
from lab.injecting.parts import parts, refuse_empty


def gathered(path, size, **how):
    """Frames and times of all parts, and the last one's damage."""
    frames, times, damage = [], [], None
    for part in parts(path, size=size, **how):
        assert part.place.packets == len(frames)
        records = part.records
        frames += part.file.spans(records.offset, records.offset + records.caplen.astype(np.int64))
        times += records.time.tolist()
        damage = records.damage
    return frames, times, damage


def whole(path):
    file = MappedFile(path)
    records = read_records(file, path, ONE_LANE)
    ends = records.offset + records.caplen.astype(np.int64)
    return list(file.spans(records.offset, ends)), records.time.tolist(), records.damage


@pytest.mark.parametrize("form", ["pcap", "nano", "big", "pcapng"])
@pytest.mark.parametrize("size", [700, 5_000, 1 << 24])
def test_parts_are_the_whole(backgrounds, tmp_path, form, size):
    path = backgrounds.background(12).save(tmp_path / "home.cap", form)
    assert gathered(path, size) == whole(path)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(1, 9_000), size=st.integers(300, 9_000), form=st.sampled_from(["pcap", "pcapng"]))
def test_damage_is_where_reading_the_whole_finds_it(backgrounds, tmp_path, cut, size, form):
    path = backgrounds.background(4).save(tmp_path / "home.cap", form)
    data = path.read_bytes()
    path.write_bytes(data[: max(4, len(data) - cut)])
    assert gathered(path, size, allow_partial=True) == whole(path)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(28, 6_000), value=st.binary(min_size=4, max_size=4), size=st.integers(300, 9_000))
def test_garbage_in_the_middle_is_found_there_too(backgrounds, tmp_path, place, value, size):
    path = backgrounds.background(4).save(tmp_path / "home.cap", "pcapng")
    data = bytearray(path.read_bytes())
    data[place : place + 4] = value
    path.write_bytes(data)
    found, expected = gathered(path, size, allow_partial=True), whole(path)
    assert found[0] == expected[0]
    assert (found[2] is None) == (expected[2] is None)


def test_damage_raises_after_what_stands_before_it(backgrounds, tmp_path):
    path = backgrounds.background(4).save(tmp_path / "home.cap")
    path.write_bytes(path.read_bytes()[:-3])
    reading = parts(path)
    assert len(next(reading)) == len(backgrounds.background(4).packets) - 1
    with pytest.raises(CaptureError, match=r"packet \d+, byte \d+: found end of file"):
        next(reading)


def test_an_interface_described_later_is_known_to_the_parts_after_it(backgrounds, tmp_path):
    path = backgrounds.background(6).save(tmp_path / "home.cap", "pcapng")
    other = backgrounds.background(6).save(tmp_path / "other.cap", "pcapng", link=101)
    path.write_bytes(path.read_bytes() + other.read_bytes())
    links = {link for part in parts(path, size=900) for link in part.records.link.tolist()}
    assert links == {1, 101}


def test_what_is_no_capture_is_refused(tmp_path):
    (tmp_path / "x").write_bytes(b"hello, world")
    with pytest.raises(CaptureError, match="is this a capture"):
        list(parts(tmp_path / "x"))
    with pytest.raises(EvidenceError, match="no regular file"):
        list(parts(tmp_path))
    with pytest.raises(CaptureError, match="no packet"):
        refuse_empty(tmp_path / "x", 0)
