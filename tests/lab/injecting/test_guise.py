"""What injected packets wear: shares and runs of the tapes, one TTL a flow, windows that hold what is under way."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.injecting.guise import Tapes, announced, limits, worn
from lab.injecting.habits import OTHER, STREAM, UP, Manner, directions, role_of
from lab.injecting.heads import heads
from lab.injecting.injected import Injected, pieces, read_injected
from lab.injecting.parts import parts


@pytest.fixture
def injected(backgrounds, tmp_path):
    path = backgrounds.background(40, host="10.88.1.2", seed=9).save(tmp_path / "recording.pcap")
    return read_injected(path, ["10.88.1.2"])


@pytest.fixture
def tapes(backgrounds, tmp_path):
    made = Manner()
    from detector.capture.network import AddressBook

    for part in parts(backgrounds.background(60).save(tmp_path / "home.pcap")):
        some = heads(part, AddressBook())
        made.add(part, some, directions(some, (False, int.from_bytes(backgrounds.packed(backgrounds.PHONE)))))
    return Tapes(made.tapes(), made.tapes())


def dressed(injected, tapes):
    mss = announced(injected, tapes)
    cut = pieces(injected.heads, limits(injected, mss))
    return cut, worn(injected, cut, mss, tapes)


def test_a_flow_has_one_ttl_and_all_have_the_tapes_shares(injected, tapes):
    cut, guise = dressed(injected, tapes)
    lanes = injected.lanes[cut.source]
    for lane in np.unique(lanes).tolist():
        assert len(set(guise.ttl[lanes == lane].tolist())) == 1
    down = ~injected.up[cut.source] & (injected.heads.proto[cut.source] == 6)
    tape = tapes.of(STREAM, 1, OTHER).ttl
    for value in (52, 57, 117):
        assert abs(np.mean(guise.ttl[down] == value) - np.mean(tape == value)) < 0.06


def test_ids_are_runs_of_the_tape(injected, tapes):
    cut, guise = dressed(injected, tapes)
    rows = np.flatnonzero(injected.up[cut.source] & (role_of(injected.heads.take(cut.source)) == OTHER))
    rows = rows[injected.heads.proto[cut.source[rows]] == 6]
    rows = rows[np.argsort(injected.lanes[cut.source[rows]], kind="stable")]
    assert set(guise.ident[rows].tolist()) <= set(tapes.of(STREAM, UP, OTHER).ident.tolist())
    assert np.mean(np.diff(guise.ident[rows]) == 1) > 0.5


def test_a_window_is_scaled_to_hold_what_is_under_way(backgrounds, tmp_path, tapes):
    ends, back = ("10.88.1.2", "198.18.0.1"), ("198.18.0.1", "10.88.1.2")
    said = [
        (True, ends, backgrounds.segment((40_000, 443), 0, 0, 2, 65_535, mss=1_460)),
        (False, back, backgrounds.segment((443, 40_000), 0, 1, 18, 65_535, mss=1_460)),
        (True, ends, backgrounds.segment((40_000, 443), 1, 1, 16, 2_050)),
        *(
            (False, back, backgrounds.segment((443, 40_000), 1 + k * 1_000, 1, 16, 99, bytes(1_000)))
            for k in range(300)
        ),
    ]
    packets = [(k, up, backgrounds.datagram(pair, 6, data, 64, k)) for k, (up, pair, data) in enumerate(said)]
    some = read_injected(backgrounds.Background(packets).save(tmp_path / "x.pcap"), ["10.88.1.2"])
    _, guise = dressed(some, tapes)
    assert guise.window[2] << guise.scale[0] >= 300_000
    assert guise.scale[0] <= 14


def test_without_a_tape_everything_stays(injected):
    cut, guise = dressed(injected, Tapes({}, {}))
    assert len(cut) == len(injected.heads)
    assert {int(column.max()) for column in (guise.ttl, guise.ident, guise.window, guise.mss)} == {-1}


@given(
    st.lists(st.integers(0, 1_500), min_size=1, max_size=30),
    st.lists(st.sampled_from([-1, 100, 536, 1_000]), min_size=1),
)
def test_pieces_are_the_packet(sizes, limit):
    count = len(sizes)
    zeros = np.zeros(count, np.int64)
    from lab.injecting.heads import Heads

    columns = dict.fromkeys(Heads.__dataclass_fields__, zeros)
    some = Heads(**{**columns, "proto": zeros + 6, "size": np.array(sizes), "v6": zeros.astype(bool)})
    limits_ = np.resize(limit, count)
    cut = pieces(some, limits_)
    for row, size in enumerate(sizes):
        mine = np.flatnonzero(cut.source == row)
        assert cut.length[mine].sum() == size
        assert cut.begin[mine].tolist() == (np.cumsum(cut.length[mine]) - cut.length[mine]).tolist()
        assert cut.last[mine].tolist() == [False] * (len(mine) - 1) + [True]
        assert limits_[row] < 216 or cut.length[mine].max() <= limits_[row]


def test_lanes_run_both_ways(injected):
    assert isinstance(injected, Injected)
    lanes, back = injected.lanes, injected.back
    first = {int(lane): int(other) for lane, other in zip(lanes, back, strict=True)}
    assert all(first[other] == lane for lane, other in first.items() if other >= 0)
    assert min(back) >= 0
