"""False alarms: grouped by app and destination, the busiest first."""

from lab.report.alarms import SINGLY, Maker, alarms
from lab.score import score


def test_makers_are_counted_and_the_loudest_come_first(make):
    def wrong(peer, **changes):
        return make.finding(package="com.example.news", peer=peer, **changes)

    found = [wrong("a.example", score=0.7), wrong("b.example", score=0.8)]
    found += [wrong("b.example", device="phone-02", score=0.95)]
    card = score([make.trial(*found)], suite="c", seeds=1, budget=0.001).to_json()
    (one,) = alarms(card, ["builtin"])
    assert (one.detector, one.view, one.count, one.listed) == ("builtin", "full", 3, 3)
    assert one.makers == (
        Maker("com.example.news", "news", "b.example", "AN1793", 2, 2, 0.95),
        Maker("com.example.news", "news", "a.example", "AN1793", 1, 1, 0.7),
    )
    assert [row["score"] for row in one.loudest] == [0.95, 0.8, 0.7]


def test_what_is_left_out_is_still_counted(make):
    many = [make.finding(package="com.example.news", peer=f"h{number}.example") for number in range(SINGLY + 5)]
    card = score([make.trial(*many)], suite="c", seeds=1, budget=0.001).to_json()
    (one,) = alarms(card, ["builtin"])
    assert (one.count, len(one.loudest), len(one.makers)) == (SINGLY + 5, SINGLY, 15)


def test_controls_are_left_out(make):
    card = score([make.trial(make.finding(package=None), detector="always")], suite="c", seeds=1, budget=0.001)
    assert alarms(card.to_json(), ["builtin"]) == []
