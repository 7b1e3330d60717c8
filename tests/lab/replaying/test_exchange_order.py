from hypothesis import given
from hypothesis import strategies as st

from lab.replaying.exchange_order import NEVER, Turns


def played(turns, rows, *, lost=()):
    """Everything is due at once; what is sent arrives at once, unless lost. The rows in the order of leaving."""
    left = []

    def send(row):
        left.append(row)
        turns.sent(row)

    def settle():
        moved = True
        while moved:
            moved = False
            for flow in list(turns.under_way):
                for row in list(turns.under_way[flow]):
                    if row not in lost:
                        moved = True
                        for free in turns.arrive(row):
                            send(free)

    for row in rows:
        if turns.due(row):
            send(row)
    settle()
    return left


def test_an_answer_waits_for_what_it_answers():
    turns = Turns(flow=[1, 1, 1], side=[0, 1, 0])
    assert turns.due(0)
    turns.sent(0)
    assert not turns.due(1)
    assert not turns.due(2)
    assert turns.arrive(0) == [1]
    turns.sent(1)
    assert list(turns.expected(1, 1)) == [1]
    assert turns.arrive(1) == [2]


def test_one_side_may_say_several_things_and_the_other_waits_for_all():
    turns = Turns(flow=[1, 1, 1], side=[0, 0, 1])
    assert turns.due(0)
    turns.sent(0)
    assert turns.due(1)
    turns.sent(1)
    assert not turns.due(2)
    assert turns.arrive(0) == []
    assert turns.arrive(1) == [2]


def test_what_is_lost_stops_its_own_conversation_only():
    turns = Turns(flow=[1, 2, 1, 2, NEVER], side=[0, 0, 1, 1, 1])
    assert played(turns, range(5), lost={0}) == [0, 1, 4, 3]
    assert turns.stuck() == [2]
    assert turns.under_way_count == 1


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 1)), max_size=40))
def test_without_loss_everything_leaves_in_the_order_of_its_conversation(said):
    turns = Turns([flow for flow, _ in said], [side for _, side in said])
    left = played(turns, range(len(said)))
    assert sorted(left) == list(range(len(said)))
    for flow in range(3):
        mine = [row for row in left if said[row][0] == flow]
        assert mine == sorted(mine)
    assert turns.stuck() == []
    assert turns.arrived == len(said)
