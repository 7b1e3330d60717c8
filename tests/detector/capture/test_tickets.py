"""Session tickets answer nothing; what does answer stays, also where it looks like a ticket."""

import pytest

MS = 1_000
CCS, CLEAR, SEALED = 20, 22, 23


def said(wire, *sizes):
    return b"".join(wire.record(SEALED, size) for size in sizes)


def opened(wire, *request):
    """Up to the client's Finished, and what it says with it."""
    hello, answer = wire.record(CLEAR, 512, b"\1\0"), wire.record(CLEAR, 122, b"\2\0")
    return [
        (10 * MS, ">", hello),
        (30 * MS, "<", answer + wire.record(CCS, 1) + said(wire, 38, 2_900, 53)),
        (32 * MS, ">", wire.record(CCS, 1) + said(wire, 53, *request)),
    ]


@pytest.mark.parametrize("tickets", [(266,), (266, 266), (250, 254), (501,), (74, 74)])
def test_tickets_with_the_answer_and_before_it(wire, tickets):
    together = [*opened(wire, 400), (52 * MS, "<", said(wire, *tickets, 900))]
    apart = [*opened(wire, 400), (52 * MS, "<", said(wire, *tickets)), (90 * MS, "<", said(wire, 900))]
    early = [*opened(wire), (52 * MS, "<", said(wire, *tickets)), (90 * MS, ">", said(wire, 400))]
    early.append((120 * MS, "<", said(wire, 900)))
    for messages in (together, apart, early):
        assert wire.sizes(wire.conversation(messages)) == [(405, 905)]


def test_tickets_before_the_finished_are_of_the_handshake(wire):
    messages = opened(wire, 400)
    messages[1] = (*messages[1][:2], messages[1][2] + said(wire, 1_200))
    messages.append((52 * MS, "<", said(wire, 900)))
    assert wire.sizes(wire.conversation(messages)) == [(405, 905)]


@pytest.mark.parametrize("answer", [(266,), (900, 266), (34, 266), (2_000,)])
def test_the_only_answer_is_no_ticket(wire, answer):
    messages = [*opened(wire, 400), (52 * MS, "<", said(wire, *answer)), (500 * MS, ">", said(wire, 400))]
    messages.append((520 * MS, "<", said(wire, *answer)))
    size = sum(answer) + 5 * len(answer)
    assert wire.sizes(wire.conversation(messages)) == [(405, size), (405, size)]


def test_an_answer_before_the_goodbye_is_no_ticket(wire):
    for last in (
        [(52 * MS, "<", said(wire, 266, 19))],
        [(52 * MS, "<", said(wire, 266)), (60 * MS, "<", said(wire, 19))],
    ):
        assert wire.sizes(wire.conversation([*opened(wire, 400), *last])) == [(405, 271)]


def test_a_server_that_greets_is_heard_behind_its_tickets(wire):
    messages = [*opened(wire), (52 * MS, "<", said(wire, 266, 266, 90)), (60 * MS, ">", said(wire, 40))]
    assert wire.sizes(wire.conversation(messages)) == [(0, 95), (45, 0)]


def test_where_the_rule_is_wrong(wire):
    """As the module says: a small first record without tickets is lost, a second ticket of another size is kept."""
    messages = [*opened(wire, 400), (52 * MS, "<", said(wire, 266, 900))]
    assert wire.sizes(wire.conversation(messages)) == [(405, 905)]
    messages = [*opened(wire, 400), (52 * MS, "<", said(wire, 266, 300, 900))]
    assert wire.sizes(wire.conversation(messages)) == [(405, 1_210)]


def test_a_ticket_that_was_lost_and_came_behind_the_answer_is_one_still(wire):
    messages = [*opened(wire, 400), (52 * MS, "<", said(wire, 266)), (53 * MS, "<", said(wire, 900))]
    *talk, ticket, answer, client_fin, server_fin = wire.conversation(messages)
    late = type(ticket)(answer.at_us + 200 * MS, ticket.frame)
    ends = [type(one)(one.at_us + 300 * MS, one.frame) for one in (client_fin, server_fin)]
    assert wire.sizes([*talk, answer, late, *ends]) == [(405, 905)]
