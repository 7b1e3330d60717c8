"""Lost datagrams: missing, asked again, never answered."""

from __future__ import annotations

from lab.stages.lost_datagrams import RESOLVER_US, Datagram, Manner, left

RTT = 3_000
ASK, TELL = Datagram(0, local=True, offset=0, length=40), Datagram(RTT, local=False, offset=40, length=90)


def gone(*numbers: tuple[bool, int]):
    counts = {False: -1, True: -1}

    def lost(side: bool) -> bool:
        counts[side] += 1
        return (side, counts[side]) in numbers

    return lost


def test_without_loss_all_is_as_it_was():
    for manner in (Manner.RESOLVED, Manner.PROBED, Manner.ANSWERED, Manner.PLAIN):
        assert left(manner, RTT, [ASK, TELL], gone(), inbound=False) == [ASK, TELL]


def test_a_look_up_is_said_again_after_five_seconds_in_the_same_bytes():
    for lost in (gone((True, 0)), gone((False, 0))):
        found = left(Manner.RESOLVED, RTT, [ASK, TELL], lost, inbound=False)
        assert found == [ASK, ASK._replace(time=RESOLVER_US), TELL._replace(time=RESOLVER_US + RTT)]


def test_quic_says_it_again_in_another_packet_and_what_follows_waits():
    found = left(Manner.PROBED, RTT, [ASK, TELL], gone((True, 0)), inbound=False)
    assert [one.again for one in found] == [False, True, False]
    assert found[2].time - found[1].time == RTT
    late = left(Manner.PROBED, RTT, [ASK, TELL, ASK._replace(time=9_000_000)], gone((False, 0)), inbound=False)
    assert [one.again for one in late] == [False, True, False]
    assert late[-1].time == 9_000_000


def test_a_lost_question_has_no_answer_and_a_lost_answer_is_missing():
    both = [ASK, TELL, ASK._replace(time=50_000), TELL._replace(time=53_000)]
    assert left(Manner.ANSWERED, RTT, both, gone((True, 0)), inbound=False) == [both[0], *both[2:]]
    assert left(Manner.ANSWERED, RTT, both, gone((False, 0)), inbound=False) == [both[0], *both[2:]]
    assert left(Manner.PLAIN, RTT, both, gone((True, 0)), inbound=False) == both
    assert left(Manner.PLAIN, RTT, both, gone((False, 1)), inbound=False) == both[:3]
