"""Ways: one script per class, lengths and handshakes per conversation."""

from lab.behaviours import Speech
from lab.stages.flows.classes import AGENT, SUB, ZONE
from lab.stages.flows.ways import ways_of


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
