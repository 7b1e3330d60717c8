"""The merge: nothing of the background is lost, changed or moved, and a changed one is noticed."""

import hashlib

import numpy as np
import pytest

from lab.errors import EvidenceError
from lab.injecting.merging import Background, write_merged


class Few:
    """Injected records that only have times, as far as the merge is concerned."""

    def __init__(self, times):
        self.time = np.array(times, np.int64)
        self.pieces = times

    def records(self, begin, end):
        head = np.stack([self.time // 1_000_000, self.time % 1_000_000, *[np.full(len(self.time), 4)] * 2], axis=1)
        return [row.astype("<u4").tobytes() + b"mine" for row in head[begin:end]]


def merge(path, times, packets, folder):
    background = Background(path, 1, packets, path.stat().st_size, None)
    return write_merged(folder / "out.pcap", background, Few(times), lambda _done, _total: None)


@pytest.mark.parametrize("form", ["pcap", "nano", "pcapng"])
@pytest.mark.parametrize("where", ["before", "between", "after", "nothing"])
def test_the_background_is_all_there_in_order(backgrounds, tmp_path, form, where):
    home = backgrounds.background(8)
    path = home.save(tmp_path / "home.cap", form)
    first, last = home.packets[0][0], home.packets[-1][0]
    times = {
        "before": [1, 2],
        "between": np.linspace(first, last, 9).astype(int).tolist(),
        "after": [last + 1],
        "nothing": [],
    }
    written = merge(path, times[where], len(home.packets), tmp_path)
    data = (tmp_path / "out.pcap").read_bytes()
    entry = {"packets": len(home.packets) + len(times[where]), "bytes": len(data)}
    assert written.entry() == {**entry, "sha256": hashlib.sha256(data).hexdigest()}
    found, at = [], 24
    while at < len(data):
        size = int.from_bytes(data[at + 8 : at + 12], "little")
        when = int.from_bytes(data[at : at + 4], "little") * 1_000_000 + int.from_bytes(data[at + 4 : at + 8], "little")
        found.append((when, data[at + 16 : at + 16 + size]))
        at += 16 + size
    assert [frame for _, frame in found if frame != b"mine"] == home.frames()
    assert [when for when, frame in found if frame == b"mine"] == times[where]
    assert [when for when, _ in found] == sorted(when for when, _ in found)


def test_a_background_that_changed_meanwhile_is_refused(backgrounds, tmp_path):
    home = backgrounds.background(8)
    path = home.save(tmp_path / "home.cap")
    with pytest.raises(EvidenceError, match="changed while it was read"):
        merge(path, [1], len(home.packets) + 1, tmp_path)
    assert not (tmp_path / "out.pcap").exists()
