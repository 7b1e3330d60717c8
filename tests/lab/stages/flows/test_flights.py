"""Handshakes: as long as those of lab/protocols/tls.py, whatever the name."""

import pytest

from lab.protocols import tls
from lab.protocols.handshakes import Manner, shapes
from lab.stages.flows.flights import flights_of

FIXED = [stack for stack, shape in enumerate(shapes()) if not shape.permutes]


@pytest.mark.parametrize("stack", FIXED)
@pytest.mark.parametrize("host", ["a.example", "api-27.within-happen.close-full.example"])
def test_flights_are_as_long_as_the_real_ones(stack, host):
    found = flights_of(stack, len(host), "http/1.1", Manner())
    hello, answer, finished, last = found.sizes
    assert (hello + finished, answer + last + found.chain(host)) == tls.sizes(stack, host=host)


def test_a_resumed_session_has_no_chain():
    stack = next(stack for stack, shape in enumerate(shapes()) if shape.modern)
    fresh, resumed = (flights_of(stack, 20, "h2", Manner(resume=resume)) for resume in (False, True))
    assert fresh.chained
    assert not resumed.chained
    assert resumed.sizes[1] < fresh.sizes[1] / 2


def test_what_is_read_is_the_shapes():
    named, nameless = (flights_of(0, length, "h2", Manner()).read for length in (20, 0))
    assert named.app_proto == "tls"
    assert named.sni == "x" * 12 + ".example"
    assert nameless.sni is None
    assert named.ja4[3], nameless.ja4[3] == ("d", "i")
