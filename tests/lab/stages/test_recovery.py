"""A conversation played anew: as it was without loss, and late where it lost something."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from lab.network import Network
from lab.stages.fates import Fate
from lab.stages.recovery import Line, Word, recovered
from lab.stages.segments import FIN, SYN

RTT = 20_000
WORDS = (
    Word(100_000, 100_000, True, 0, 500),
    Word(150_000, 150_900, False, 500, 14_000),
    Word(5_000_000, 5_000_000, True, 14_500, 300),
    Word(5_060_000, 5_060_000, False, 14_800, 200),
)
LINE = Line(0, 9_000_000, RTT, 1400, (100, 400), inbound=False, words=WORDS)


def never(_side: bool) -> bool:
    return False


def first(found, offset: int) -> int:
    return min(one.time for one in found if one.length and one.offset == offset)


def test_without_loss_all_is_said_when_it_was():
    found = recovered(LINE, never)
    assert [first(found, word.offset) for word in WORDS] == [word.start for word in WORDS]
    assert [one.time for one in found if one.flags & FIN] == [9_000_000, 9_000_000 + RTT]
    assert len([one for one in found if one.length]) == 13


def test_an_answer_waits_for_its_question_and_later_questions_do_not():
    counts = {False: -1, True: -1}

    def third(side: bool) -> bool:
        counts[side] += 1
        return side and counts[side] == 2  # the first request

    found = recovered(LINE, third)
    assert first(found, 500) == 150_000 + RTT + 200_000
    assert first(found, 14_500) == 5_000_000


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**40), st.sampled_from([0.02, 0.1]), st.booleans())
def test_everything_arrives_whatever_is_lost(seed, loss, inbound):
    words = tuple(word._replace(local=word.local != inbound) for word in WORDS)
    line = Line(0, 9_000_000, RTT, 1400, (100, 400), inbound=inbound, words=words)
    found = recovered(line, Fate(seed, Network(loss=loss)))
    assert [one.time for one in found] == sorted(one.time for one in found)
    for local in (False, True):
        mine = {(one.seq, one.length) for one in found if one.local == local and one.length}
        place = 1
        for seq, length in sorted(mine):
            assert seq == place
            place += length
        assert place - 1 == sum(word.length for word in words if word.local == local)
        assert any(one.flags & FIN for one in found if one.local == local)
    assert any(one.flags & SYN for one in found)
