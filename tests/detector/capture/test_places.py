"""Places in streams are found whatever the segments are."""

import numpy as np
import pytest

from detector.capture.flows import cut
from detector.capture.lanes import ONE_LANE
from detector.capture.mapped import MappedFile
from detector.capture.packets import decode
from detector.capture.pairs import pair
from detector.capture.places import MAX_STEPS, Places
from detector.capture.records import read_records
from detector.contract import Progress

TEXT = bytes(range(256)) * 3


@pytest.fixture
def places(wire):
    def made(packets):
        path = wire.write(wire.pcap(packets))
        file = MappedFile(path)
        packets, _ = decode(file, read_records(file, path, ONE_LANE), Progress(), ONE_LANE)
        flows = cut(pair(packets, ONE_LANE))
        return Places(flows, 0, np.arange(len(flows), dtype=np.int32), file)

    return made


ONE = np.array([0])


@pytest.mark.parametrize("piece", [1, 3, 100, 1_000])
def test_every_place_is_found_and_read(wire, places, piece):
    cut_up = [(1_000, ">", TEXT)]
    found = places(
        wire.conversation(cut_up, cut=lambda said: [said[at : at + piece] for at in range(0, len(said), piece)])
    )
    for at in (0, 1, 99, 700, len(TEXT) - 5):
        found.put(ONE, np.array([at]))
        (said,), (whole,) = found.read(ONE, 5)
        assert whole
        assert said.tobytes() == TEXT[at : at + 5]
        assert found.packet(ONE)[0] < found.never
    assert len(TEXT) > MAX_STEPS  # so that single bytes are searched, not walked


def test_the_end_of_a_stream_is_told_from_a_hole(wire, places):
    whole = wire.conversation([(1_000, ">", TEXT[:100]), (2_000, ">", TEXT[100:200]), (3_000, ">", TEXT[200:300])])
    found = places(whole)
    found.at[:] = 300
    assert [one.tolist() for one in found.settle(ONE)] == [[False], [True]]
    assert found.packet(ONE)[0] == found.never
    assert not found.read(ONE, 1)[1][0]
    holed = places([packet for packet in whole if packet.at_us != 2_000])
    holed.at[:] = 100
    assert [one.tolist() for one in holed.settle(ONE)] == [[False], [False]]
    holed.put(ONE, np.array([98]))
    assert holed.read(ONE, 2)[1][0]
    assert not holed.read(ONE, 5)[1][0]
    beyond = places(whole)
    beyond.at[:] = 301
    assert [one.tolist() for one in beyond.settle(ONE)] == [[False], [False]]


def test_a_silent_stream_is_over_at_once(wire, places):
    found = places(wire.conversation([(1_000, "<", b"only the server")]))
    assert [one.tolist() for one in found.settle(ONE)] == [[False], [True]]
