"""Assembling: options are resolved, rows are numbered across batches, ports run out only after all were used."""

from __future__ import annotations

import numpy as np

from lab.assembly import EPHEMERAL, Assembly, Owner
from lab.cast import Cast
from lab.draft import Draft


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
    count = EPHEMERAL[1] - EPHEMERAL[0]
    made = assembled(batch(np.arange(count + 10)))
    said, _ = made.seal(0, np.zeros(2, dtype=np.int64))
    assert len(set(said.client_port[:count].tolist())) == count
    assert said.client_port[count:].tolist() == said.client_port[:10].tolist()


def test_nothing_assembles_to_nothing():
    said, words = Assembly(Cast((1, "x"))).seal(0, np.zeros(0, dtype=np.int64))
    assert len(said.start) == len(words.time) == 0
    assert said.inbound.dtype == np.bool_
