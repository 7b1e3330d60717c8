"""Scripts: what was tried holds for sizes and names that were not."""

from dataclasses import replace

import numpy as np
import pytest

from lab.behaviours import Speech
from lab.protocols import Dialogue
from lab.stages.flows import probes
from lab.stages.flows.classes import Class
from lab.stages.flows.probes import DOWNWARD, EVEN, EVENLY, ONLY_DOWN, UPWARD, script_of, setup_of
from lab.stages.seeds import generator, states_of

NO_FIELD = 12  # bytes that are too few for SSDP's field of filler
PROTOCOLS = (
    "http",
    "http2",
    "websocket",
    "opaque",
    "push",
    "socks5",
    "connect",
    "mux",
    "datagram",
    "dns",
    "imap",
    "stun",
)


def state(seed=3):
    return states_of(np.array([seed], dtype=np.int64))[0]


def really(protocol, up, down):
    """(by client, bytes) of the last of two exchanges, as the protocol says it."""
    module = probes._module(Class(protocol, 443, named=True, options=()))
    time = np.array([10**15 + 60_000_000, 10**15 + 120_000_000])
    sizes = [np.array([size, size]) for size in (up, down)]
    said = Dialogue(
        "qzw.calibration.example", 443, {}, "qzagent", time, *sizes, np.array([9, 9]), generator(state()), 10**15
    )
    last = [one for one in module.messages(said) if one.time >= time[1]]
    return [sum(len(one.data) for one in last if one.from_client == side) for side in (True, False)]


def told_by(script, kind, up, down):
    """(by client, bytes) of such an exchange as the script has it."""
    turns = next(turns for below, turns in script.exchanges[kind] if max(up, down) < below)
    none, found = np.zeros(1, dtype=np.int64), {True: 0, False: 0}
    for turn in turns:
        found[turn.from_client] += int(turn.sizes(none + up, none + down, none)[0])
    return list(found.values())


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(("up", "down"), [(60, 47), (333, 90), (777, 12_345), (5_000, 900), (17, 17), (10, 12)])
def test_sizes_are_those_of_the_protocol(protocol, up, down):
    script = script_of(Class(protocol, 443, named=True, options=()))
    kind = EVEN if max(up, down) <= EVENLY * min(up, down) else UPWARD if up > down else DOWNWARD
    for told, said in zip(told_by(script, kind, up, down), really(protocol, up, down), strict=True):
        assert told == pytest.approx(said, rel=0.06, abs=16)


def test_pushes_stay_pushes():
    (turn,) = script_of(Class("websocket", 443, named=True, options=())).exchanges[ONLY_DOWN][0][1]
    assert turn.pushed
    assert not turn.from_client
    assert turn.share == 1.0


def test_a_mail_is_many_turns():
    turns = script_of(Class("smtp", 465, named=True, options=())).exchanges[UPWARD][-1][1]
    assert [turn.from_client for turn in turns] == [True, False] * 4
    assert [turn.share for turn in turns if not turn.from_client] == [0.125, 0.25, 0.375, 1.0]
    assert script_of(Class("smtp", 465, named=True, options=())).farewell[0].head == b"QUIT\r\n"


def test_first_requests_that_leave_with_the_preface_are_found():
    assert script_of(Class("http2", 443, named=True, options=())).joins == (100_000, 0, False)
    assert script_of(Class("http", 443, named=True, options=())).joins.soon == 0
    assert script_of(Class("quic", 443, named=True, options=())).joins == (1_000, 2, True)
    assert script_of(Class("doh", 443, named=True, options=())).joins == (1_000, 2, True)


def test_setups_that_vary_are_drawn_by_each():
    kind = Class("push", 5228, named=True, options=())
    assert script_of(kind).drawn
    assert not script_of(Class("http2", 443, named=True, options=())).drawn
    assert setup_of(kind, state(1)) == setup_of(kind, state(1))
    assert setup_of(kind, state(1)) != setup_of(kind, state(2))


@pytest.mark.parametrize(("up", "down"), [(179, 4), (40, 3), (8, 4), (179, 60), (60, 179), (8, 8)])
def test_curt_answers_are_not_what_longer_ones_are(up, down):
    script = script_of(Class("mqtt", 8883, named=True, options=()))
    kind = probes.TERSE if down <= script.terse and up > down else UPWARD if up > down else DOWNWARD
    assert told_by(script, kind, up, down) == pytest.approx(really("mqtt", up, down), abs=2)


@pytest.mark.parametrize("options", [{}, {"say": "notify"}])
def test_agents_of_searches_count_where_an_exchange_of_nothing_says_nothing(
    options, timeline_of, talk, scene_from, messages
):
    agents = ("a/1", "okhttp/4.12.0", "Dalvik/2.1.0 (Linux; U; Android 14; Pixel 8 Build/AP2A.240805.005)")
    said = [talk([(0, 120, 0, 0)], speech=Speech("ssdp", port=1900, options=options))]
    found = []
    for agent in agents:
        made = timeline_of(said)
        made = replace(made, apps=tuple(replace(app, agent=agent) for app in made.apps))
        told = scene_from(made).said.turns
        (on_wire,) = [size for _, _, _, size in messages(made)]
        assert told.size.tolist() == pytest.approx([on_wire], abs=NO_FIELD)
        found.append(on_wire)
    assert found[2] - found[0] > 3 * NO_FIELD  # the negative control: one size for all agents is wrong for one
