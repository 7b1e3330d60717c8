"""Look-ups: whose they are, and whether a connection followed."""

from __future__ import annotations

from detector.contacts import Flows
from detector.lookups import read_lookups


def read(made, *, with_flows=True):
    tables = made.telemetry().tables
    return read_lookups(tables["dns"], Flows.read(tables["flows"]) if with_flows else None)


def test_a_name_or_answered_address_that_is_connected_to_is_used(made):
    made.lookup(1, "www.named.example")
    made.lookup(2, "www.answered.example", answers=("cdn.other.example", "198.18.0.7"))
    made.lookup(2, "www.answered.example", qtype="AAAA")
    made.lookup(3, "www.unused.example", answers=("198.18.0.8",))
    made.flow(4, name="www.named.example", server="198.18.0.1")
    made.flow(5, server="198.18.0.7")
    assert read(made).unused.tolist() == [False, False, False, True]


def test_another_device_s_connection_uses_nothing(made):
    made.lookup(1, "www.named.example", answers=("198.18.0.7",))
    made.flow(2, name="www.named.example", server="198.18.0.7", device="phone-02")
    assert read(made).unused.tolist() == [True]


def test_local_and_reverse_names_are_left_out(made):
    for name in ("printer.local", "7.0.18.198.in-addr.arpa", "router", "www.site.example"):
        made.lookup(1, name)
    assert read(made).unused.tolist() == [False, False, False, True]


def test_without_flows_the_client_address_asks(made):
    made.lookup(1, "www.site.example", uid=1051)
    with_flows, without = read(made), read(made, with_flows=False)
    assert (with_flows.device.text(0), with_flows.uid[0]) == ("phone-01", 1051)
    assert (without.device.text(0), without.uid[0]) == ("10.88.0.2", -1)
    assert without.unused.all()


def test_what_was_not_read_of_a_look_up_is_no_answer_to_another(made):
    made.lookup(1, "www.site.example", answers=(None, "198.18.0.7"))
    made.lookup(2, None, answers=("198.18.0.8",))
    found = read(made).answers
    told = [(found.address.text(k), int(found.device[k]), int(found.domain[k])) for k in range(len(found.domain))]
    assert [text for text, _, _ in told] == ["198.18.0.7"]


def test_answers_remember_the_asked_domain(made):
    made.lookup(1, "www.site.example", answers=("cname.cdn.example", "198.18.0.7"))
    made.lookup(2, "a.second.example", answers=("198.18.0.7",))
    made.lookup(3, "b.second.example", answers=("198.18.0.7", "198.18.0.7"), device="phone-02")
    found = read(made)
    held = [found.answers.address.texts[code] == "198.18.0.7" for code in found.answers.address.code.tolist()]
    assert {found.domain.texts[code] for code in found.answers.domain[held]} == {"site.example", "second.example"}
    who = [found.device.texts[code] for code in found.answers.device[held].tolist()]
    assert sorted(who) == ["phone-01", "phone-01", "phone-02"], "one each, however often it was answered"
