"""Regimes: sizes whose turns are alike share a law."""

from lab.protocols import Message
from lab.stages.flows.classes import Class
from lab.stages.flows.regimes import DELAYS, Row, regimes

KIND = Class("opaque", 443, named=True, options=())


def row(size, *, answered):
    takes = []
    for delay in DELAYS:
        said = [Message(0, True, bytes(size))]
        takes.append([*said, Message(delay, False, bytes(9))] if answered else said)
    return Row(size, 9, 0, list(zip(*takes, strict=True)))


def test_a_change_of_shape_begins_a_regime():
    rows = [row(size, answered=size > 20) for size in (5, 10, 20, 40, 80, 160)]
    (below, curt), (_, longer) = regimes(KIND, rows)
    assert below == 40
    assert [turn.from_client for turn in curt] == [True]
    assert [turn.from_client for turn in longer] == [True, False]
    assert (longer[0].law.shift, longer[0].law.least) == (0, 40)
    assert (longer[1].share, longer[1].wait_us) == (1.0, 0)
    assert longer[1].law.fixed
