"""Names that nobody has: the resolver is asked for them on a phone's behalf, answers NXDOMAIN, and that is all."""

from __future__ import annotations

import numpy as np

from lab.behaviours import SECOND
from lab.habits.draft import Draft
from lab.network import Network
from lab.world.assembly import Assembly, Owner
from lab.world.cast import RESOLVER, Cast
from lab.world.peers import peer_keys, rows_of
from lab.world.resolving import Resolving

KEY = (1, "x", "phone-01", "com.a.b", "http-poll", 0)


def assembled(labels, times, *, found=(), how=None):
    draft = Draft(10_000 * SECOND)
    draft.seek("vendor", labels, np.array(times, dtype=np.int64) * SECOND)
    for time in found:
        made = draft.peer("vendor", "real")
        draft.calls(draft.web(), made, np.array([time * SECOND]), up=400, down=300, delay=1_000)
    batch, work = draft.batch(), Assembly(Cast((1, "x")))
    hosts = rows_of(work.cast, batch, "com.a.b", peer_keys(batch, "phone-01", "com.a.b", KEY))
    work.add(np.random.default_rng(1), batch, Owner(1, 0, 0, 5, 0, 3), hosts, np.zeros(1, dtype=np.int64))
    device_of = np.zeros(2, dtype=np.int64)
    work.look_up({0: 0}, device_of, 1, how)
    said, _ = work.seal(0, device_of)
    return work, said


def questions(work, said):
    asked = [
        (work.cast.hosts[host].name, work.speeches[speech].options)
        for host, speech in zip(
            said.host[said.behaviour == 1].tolist(), said.speech[said.behaviour == 1].tolist(), strict=True
        )
    ]
    return [(name.split(".")[0], options["qtype"], "missing" in options) for name, options in asked]


def test_each_is_asked_for_by_the_resolver_on_the_incidents_account():
    work, said = assembled(["one", "two"], [20, 30])
    assert questions(work, said) == [("one", "A", True), ("two", "A", True)]
    assert {work.cast.hosts[host].address for host in said.host.tolist()} == {RESOLVER}
    assert said.incident.tolist() == [5, 5]
    assert said.app.tolist() == [0, 0]


def test_the_phone_keeps_the_news_for_the_time_of_the_soa():
    work, said = assembled(["one"] * 3, [20, 300, 340])
    assert len(questions(work, said)) == 2


def test_a_name_that_exists_is_answered_and_spoken_to():
    work, said = assembled(["one"], [20], found=[21])
    assert questions(work, said) == [("one", "A", True), ("real", "A", False)]
    assert len(said.start) == 3


def test_both_kinds_of_addresses_are_missing_where_phones_have_ipv6():
    work, said = assembled(["one"], [20], how=Resolving(network=Network(ipv6=1.0)))
    assert questions(work, said) == [("one", "A", True), ("one", "AAAA", True)]


def test_private_dns_hides_them_in_its_connection():
    work, said = assembled(["one", "two"], [20, 21], how=Resolving(private=True))
    assert [work.speeches[speech].port for speech in said.speech.tolist()] == [853]
