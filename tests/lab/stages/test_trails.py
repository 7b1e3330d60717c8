"""Trails: kinds of packets in the order of their first, whole bytes, and what Zeek calls it."""

from __future__ import annotations

import numpy as np
import pytest

from lab.stages.trails import NEVER, Heard, Trails, state_of

SYN, ACK, FIN, RST = 2, 16, 1, 4
WHOLE = [
    ("up", SYN, 0),
    ("down", SYN | ACK, 0),
    ("up", ACK, 0),
    ("up", ACK, 9),
    ("down", ACK, 0),
    ("down", ACK, 700),
    ("up", FIN | ACK, 0),
    ("down", FIN | ACK, 0),
]


def heard(said, *, conversation=0, again=(), since=0):
    count = len(said)
    payload = np.array([size for *_, size in said], dtype=np.int64)
    return Heard(
        conversation=np.full(count, conversation),
        time=since + np.arange(count, dtype=np.int64),
        up=np.array([way == "up" for way, *_ in said], dtype=np.bool_),
        flags=np.array([flags for _, flags, _ in said], dtype=np.int64),
        payload=payload,
        size=payload + 40,
        again=np.isin(np.arange(count), again),
    )


def of(said, **how):
    (history,) = Trails.of(heard(said, **how), 1).history()
    return history, state_of(history, tcp=True)


def test_a_whole_conversation():
    assert of(WHOLE) == ("ShADadFf", "SF")


@pytest.mark.parametrize(
    ("said", "found"),
    [
        (WHOLE[:1], ("S", "S0")),
        ([*WHOLE[:1], ("down", RST | ACK, 0)], ("Sr", "REJ")),
        ([*WHOLE[:1], ("up", RST, 0)], ("SR", "RSTOS0")),
        ([*WHOLE[:1], ("up", FIN, 0)], ("SF", "SH")),
        (WHOLE[:6], ("ShADad", "S1")),
        (WHOLE[:7], ("ShADadF", "S2")),
        ([*WHOLE[:6], WHOLE[7]], ("ShADadf", "S3")),
        ([*WHOLE[:6], ("up", RST | ACK, 0), ("down", RST, 0)], ("ShADadRr", "RSTO")),
        ([*WHOLE[:6], ("down", RST | ACK, 0)], ("ShADadr", "RSTR")),
        (WHOLE[3:], ("DadFf", "OTH")),
    ],
)
def test_how_it_ended(said, found):
    assert of(said) == found


def test_payload_with_the_fin_comes_first_and_repeats_are_told():
    assert of([*WHOLE[:5], ("down", ACK | FIN, 70)])[0] == "ShADadf"
    assert of([*WHOLE[:6], ("up", ACK, 0)], again=[6])[0] == "ShADadT"


def test_parts_are_joined_and_added_to_in_any_order():
    one, none = Trails.of(heard(WHOLE), 1), Trails.of(heard([]), 2)
    whole = Trails.joined([none, one])
    assert whole.history() == ["", "", "ShADadFf"]
    assert whole.size_down.tolist() == [0, 0, 700 + 4 * 40]
    assert (whole.first[0] == NEVER).all()
    whole.add(heard([("down", 0, 5), ("up", 0, 7)], conversation=1, since=50))
    whole.add(heard([("up", 0, 5)], conversation=1, since=10))
    assert (whole.history()[1], whole.size_up[1]) == ("Dd", 92)
    assert Trails.joined([]).history() == []
