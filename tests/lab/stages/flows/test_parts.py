"""Parts become one table in the order of what is said."""

import numpy as np

from lab.stages.flows.parts import SETTING_UP, Part, add, columns, joined, taken


def part(conversation, exchange, size):
    made, one = columns(), np.ones(1, dtype=np.int64)
    add(made, 0, by_client=True, begin=0 * one, end=0 * one, size=size * one, plain=size * one, packets=one)
    return Part(one * conversation, one * exchange, made, one * 5)


def test_parts_are_sorted_and_what_has_no_bytes_is_dropped():
    parts = [part(1, 4, 10), part(0, 2, 0), part(1, SETTING_UP, 30), part(0, 1, 20)]
    turns = joined(parts, [np.array([one]) for one in (400, 300, 200, 100)])
    assert turns.conversation.tolist() == [0, 1, 1]
    assert turns.begin.tolist() == [100, 200, 400]
    assert turns.size.tolist() == [20, 30, 10]
    assert taken(turns, np.array([2])).exchange.tolist() == [4]


def test_nothing_said_is_no_turns():
    assert len(joined([], []).size) == 0
