"""Ways: one script per class, lengths and handshakes per conversation."""

import pytest

from lab.behaviours import Speech
from lab.protocols.handshakes import shapes
from lab.protocols.tls import alike_hellos
from lab.stages.flows.classes import AGENT, SUB, ZONE
from lab.stages.flows.ways import ways_of

NAMES = ("api.garden.example", "", "cdn.river.test")  # of the timeline's hosts; addresses are not told


def test_conversations_of_a_class_share_a_script(timeline_of, talk):
    said = [talk([(0, 100, 100, 0)], host=host, speech=Speech("http", port=80)) for host in (0, 3)]
    ways = ways_of(timeline_of(said))
    assert len(ways.scripts) == 1
    assert ways.longer[0, SUB] == len("api.") - len("qzw.")
    assert ways.longer[0, ZONE] == len("garden.example") - len("calibration.example")
    assert ways.longer[0, AGENT] == len("okhttp/4.12.0") - len("qzagent")


def test_flights_are_where_tls_is(tiny):
    ways = ways_of(tiny)
    secured = [tiny.speeches[speech].tls for speech in tiny.conversations.speech]
    assert (ways.flight >= 0).tolist() == secured


def test_a_name_in_clear_may_be_another(timeline_of, talk):
    said = [
        talk([(0, 9, 9, 0)], speech=Speech("http", tls=True, options={"sni": name}))
        for name in ("none", "a.very-long-name-of-somebody-else.example")
    ]
    ways = ways_of(timeline_of(said))
    none, other = (ways.flights[flight] for flight in ways.flight)
    assert none.read.sni is None
    assert len(other.read.sni) == 41


@pytest.mark.parametrize("options", [{}, {"ech": "1"}, {"resume": "1"}])
@pytest.mark.parametrize("stack", [stack for stack, shape in enumerate(shapes()) if shape.permutes])
def test_a_client_that_draws_its_hello_says_the_one_it_says_on_the_wire(timeline_of, talk, messages, stack, options):
    speech = Speech("http", tls=True, options=options)
    timeline = timeline_of([talk([(0, 9, 9, 0)], start=k, host=k % 4, stack=stack, speech=speech) for k in range(60)])
    ways = ways_of(timeline)
    hellos = [ways.flights[flight].sizes[0] for flight in ways.flight]
    first = {}
    for row, _, from_client, size in messages(timeline):
        if from_client:
            first.setdefault(row, size)
    assert hellos == [first[row] for row in range(60)]
    decoys = len(set(alike_hellos(stack, ech="ech" in options)))
    assert (len(set(hellos)) > len(NAMES)) is (decoys > 1), "decoys tell lengths apart, and names do"
