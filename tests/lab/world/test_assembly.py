"""Assembling: options are resolved, rows are numbered across batches, ports run out only after all were used."""

from __future__ import annotations

import numpy as np

from lab.habits.draft import Draft
from lab.world.assembly import Assembly, Owner
from lab.world.cast import Cast
from lab.world.ports import EPHEMERAL, RESERVED


def batch(starts, port=443, **options):
    draft = Draft(10**12)
    speech = draft.speech("socks5", port=port, **options)
    draft.peer("vendor")
    draft.calls(speech, draft.peer("literal"), np.array(starts), up=1, down=2, delay=3)
    return draft.batch()


def assembled(*batches):
    cast = Cast((1, "x"))
    hosts = np.array([cast.host("vendor", "p", 0), cast.host("literal", "p", 1)])
    made = Assembly(cast)
    for nth, one in enumerate(batches):
        owner = Owner(app=1 + nth, netd=0, device=0, incident=-1, behaviour=0, stack=2)
        made.add(np.random.default_rng(nth), one, owner, hosts, np.array([3, 4]))
    return made


def test_rows_are_sorted_across_batches():
    made = assembled(batch([50, 10]), batch([30]))
    said, words = made.seal(1_000, np.zeros(3, dtype=np.int64))
    assert said.start.tolist() == [1_010, 1_030, 1_050]
    assert said.app.tolist() == [1, 2, 1]
    assert words.time.tolist() == [1_010, 1_030, 1_050]
    assert words.conversation.tolist() == [0, 1, 2]
    assert said.stack.tolist() == [2, 2, 2]


def test_an_option_names_a_peer_and_equal_speeches_are_one():
    made = assembled(batch([1], target="@0:443"), batch([2], target="@0:443"), batch([3], target="@1:80"))
    named, literal = made.cast.hosts[0].name, made.cast.hosts[1].address
    assert [speech.options["target"] for speech in made.speeches] == [f"{named}:443", f"{literal}:80"]


def test_only_named_hosts_are_looked_up():
    made = assembled(batch([10_000_000_000]))
    made.look_up({0: 0}, np.zeros(2, dtype=np.int64), 1)
    said, _ = made.seal(0, np.zeros(2, dtype=np.int64))
    assert len(said.start) == 1, "the only conversation goes to an address"


def test_ports_are_used_again_only_when_all_were():
    count = EPHEMERAL[1] - EPHEMERAL[0] - len(RESERVED)
    made = assembled(batch(np.arange(count + 10)))
    said, _ = made.seal(0, np.zeros(2, dtype=np.int64))
    assert len(set(said.client_port[:count].tolist())) == count
    assert not set(said.client_port.tolist()) & set(RESERVED)
    assert said.client_port[count:].tolist() == said.client_port[:10].tolist()


def test_nothing_assembles_to_nothing():
    said, words = Assembly(Cast((1, "x"))).seal(0, np.zeros(0, dtype=np.int64))
    assert len(said.start) == len(words.time) == 0
    assert said.inbound.dtype == np.bool_


def asked_and_answered(protocol="ssdp", *, answers=((1_000_100, 300), (1_000_200, 400)), up=0):
    """A device asks the group at 0 and at 1 s; neighbours answer, who come before or after."""
    draft = Draft(10**12)
    question, answer = draft.speech(protocol, port=1900), draft.speech(protocol, port=1900, st="x")
    draft.calls(question, draft.peer("group"), np.array([0, 1_000_000]), up=120, down=0, delay=0)
    times, sizes = (np.array(column) for column in zip(*answers, strict=True))
    draft.calls(answer, draft.peer("lan"), times, up=up, down=sizes, delay=0)
    cast = Cast((1, "x"))
    made = Assembly(cast)
    hosts = np.array([cast.group("ssdp"), cast.host("lan", "p", 0)])
    owner = Owner(app=1, netd=0, device=0, incident=-1, behaviour=0, stack=2)
    made.add(np.random.default_rng(1), draft.batch(), owner, hosts, np.array([0]))
    return made.seal(0, np.zeros(3, dtype=np.int64))[0].client_port.tolist()


def test_a_neighbour_answers_at_the_port_that_asked_the_group_last():
    first, second, *answers = asked_and_answered()
    assert first != second
    assert answers == [second, second]
    first, answer, _second, later = asked_and_answered(answers=((500, 300), (2_000_000, 300)))
    assert (answer, later) == (first, _second)


def test_what_asks_a_neighbour_himself_or_another_protocol_has_a_port_of_its_own():
    assert len(set(asked_and_answered(up=90))) == 4
    assert len(set(asked_and_answered("opaque"))) == 4
