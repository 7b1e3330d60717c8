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


@pytest.mark.parametrize("stack", range(len(shapes())))
@pytest.mark.parametrize("ech", [False, True])
@pytest.mark.parametrize("length", [9, 20, 45, 71])
def test_hellos_that_count_as_one_are_as_long(stack, ech, length):
    host, manner = "x" * (length - 8) + ".example", Manner(ech=ech)
    for variant, alike in enumerate(tls.alike_hellos(stack, ech=ech)):
        found = flights_of(stack, length, "h2", manner, alike).sizes
        assert found[0] + found[2] == tls.sizes(stack, host=host, alpn="h2", manner=manner, variant=variant)[0]


def test_only_clients_that_draw_a_decoy_have_hellos_of_several_lengths():
    kinds = {
        ech: [len(set(tls.alike_hellos(stack, ech=ech))) for stack in range(len(shapes()))] for ech in (False, True)
    }
    assert set(kinds[True]) == {4}
    assert set(kinds[False]) == {1, 4}
    assert all(kinds[False][stack] == 1 for stack in FIXED)


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
