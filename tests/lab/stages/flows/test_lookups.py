"""Look-ups: names asked for and made up, answers, and what is missing."""

import pytest

from lab.behaviours import Speech
from lab.stages.flows.lookups import _labels
from lab.stages.flows.scenes import played


def dns_of(found):
    return dict(played(found.timeline, found.links, lambda _done, _total: None).tables)["dns"].to_pylist()


def dns(**options):
    return Speech("dns", port=53, options=options)


def test_plain_questions_are_for_the_host(timeline_of, talk, scene_from):
    (row,) = dns_of(scene_from(timeline_of([talk([(0, 0, 0, 900)], speech=dns(qtype="A", answer="198.18.7.9"))])))
    assert (row["qname"], row["qtype"], row["rcode"]) == ("api.garden.example", "A", 0)
    assert row["answers"] == ["198.18.7.9"]
    assert row["answered"] - row["time"] == 31_000 + 900


@pytest.mark.parametrize("up", [60, 90, 200])
def test_questions_of_a_size_have_names_of_that_length(up, timeline_of, talk, scene_from):
    rows = [(at, up, 400, 900) for at in (0, 10**6)]
    one, two = dns_of(scene_from(timeline_of([talk(rows, speech=dns(qtype="TXT"))])))
    assert one["bytes_up"] == up == 12 + 4 + 11 + 2 + len(one["qname"])
    assert one["qname"].endswith(".garden.example")
    assert one["qname"] != two["qname"]
    assert max(map(len, one["qname"].split("."))) <= 63
    assert len(one["answers"][0]) > 60


@pytest.mark.parametrize("up", [60, 90, 200])
def test_the_length_before_a_message_over_tcp_is_no_part_of_it(up, timeline_of, talk, scene_from):
    said = talk([(0, up, 400, 900)], speech=Speech("dns_tcp", port=53, options={"qtype": "TXT"}))
    (row,) = dns_of(scene_from(timeline_of([said])))
    assert row["bytes_up"] == up - 2 == 12 + 4 + 11 + 2 + len(row["qname"])
    assert row["bytes_down"] == 400 - 2


def test_no_such_name(timeline_of, talk, scene_from):
    (row,) = dns_of(scene_from(timeline_of([talk([(0, 60, 0, 900)], speech=dns(qtype="A"))])))
    assert (row["rcode"], row["answers"]) == (3, [])


def test_what_is_hidden_is_no_look_up(timeline_of, talk, scene_from):
    said = talk([(0, 0, 0, 900)], speech=Speech("dns_tcp", tls=True, port=853, options={"qtype": "A"}))
    assert dns_of(scene_from(timeline_of([said]))) == []


def test_labels_are_63_letters_at_most():
    assert [len(part) for part in _labels("x" * 130).split(".")] == [63, 63, 1]


def beside(**options):
    return Speech("mdns", port=5353, options=options)


def test_a_neighbours_answer_is_a_look_up_asked_when_it_came(timeline_of, talk, scene_from):
    found = scene_from(timeline_of([talk([(0, 0, 380, 900)], speech=beside(service="_ipp._tcp.local"))]))
    (row,) = dns_of(found)
    assert (row["qname"], row["qtype"], row["rcode"]) == ("_ipp._tcp.local", "PTR", 0)
    assert row["time"] == row["answered"]
    assert (row["bytes_up"], row["bytes_down"]) == (0, 380)
    assert row["answers"][0].endswith("._ipp._tcp.local")


def test_a_question_for_one_name_is_read_one_for_several_is_not(timeline_of, talk, scene_from):
    one, several = (dns_of(scene_from(timeline_of([talk([(0, up, 0, 0)], speech=beside())]))) for up in (40, 140))
    assert [(row["qname"], row["answered"], row["rcode"]) for row in one] == [("_googlecast._tcp.local", None, None)]
    assert several == []


def test_names_that_are_missing_are_no_such_name(timeline_of, talk, scene_from):
    (row,) = dns_of(scene_from(timeline_of([talk([(0, 0, 0, 900)], speech=dns(qtype="A", missing="1"))])))
    assert (row["rcode"], row["answers"]) == (3, [])
