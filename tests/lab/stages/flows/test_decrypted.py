"""Requests: those that the wire stage hears, in the same words and sizes."""

import pytest

from lab.behaviours import Speech
from lab.stages.dialogues import formats_of, slices
from lab.stages.flows.scenes import played
from lab.stages.link import links_of


def both(timeline):
    links = links_of(timeline, [found.TRANSPORT for found in formats_of(timeline)])
    wire = [one for part in slices(timeline, links, formats_of(timeline)) for one in part.requests]
    made = dict(played(timeline, links, lambda _done, _total: None).tables)["http"].to_pylist()
    return sorted(wire, key=lambda one: one.time), made


@pytest.mark.parametrize(
    "speech",
    [
        Speech("http", tls=True),
        Speech("http", port=8080, options={"path": "/api/check", "method": "POST"}),
        Speech("http2", tls=True),
        Speech("http2", tls=True, options={"stream": "1"}),
        Speech("websocket", port=80),
        Speech("connect", port=3128, options={"target": "www.example:443"}),
    ],
    ids=lambda one: f"{one.protocol}-{'-'.join(one.options)}",
)
def test_requests_are_those_of_the_wire(speech, timeline_of, talk):
    rows = [(200_000, 700, 3_000, 9_000), (2_000_000, 5_000, 400, 1_000), (4_000_000, 350, 0, 1_000)]
    wire, made = both(timeline_of([talk(rows, speech=speech)]))
    assert len(made) == len(wire) > 0
    for one, other in zip(wire, made, strict=True):
        for name in ("host", "method", "status", "sni", "user_agent"):
            assert other[name] == getattr(one, name), name
        assert len(other["path"]) == pytest.approx(len(one.path), abs=40)  # HTTP/2 says less where it said it before
        assert other["path"].partition("?")[0] == one.path.partition("?")[0]
        assert other["bytes_up"] == pytest.approx(one.bytes_up, rel=0.05, abs=40)
        assert other["bytes_down"] == pytest.approx(one.bytes_down, rel=0.05, abs=40)
        assert other["time"] == pytest.approx(one.time, abs=20_000)


def test_inbound_and_neighbours_do_not_cross_the_gateway(timeline_of, talk):
    said = [
        talk([(0, 300, 300, 0)], host=2, speech=Speech("http", port=80)),
        talk([(0, 300, 300, 0)], start=1, inbound=True, speech=Speech("http", port=80)),
        talk([(0, 300, 300, 0)], start=2, speech=Speech("opaque", port=80)),
    ]
    assert both(timeline_of(said)) == ([], [])
