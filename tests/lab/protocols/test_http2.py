"""HTTP/2 read back by h2, both ends strict: every frame in its state, every window kept."""

import numpy as np
import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    DataReceived,
    PingAckReceived,
    PingReceived,
    RemoteSettingsChanged,
    RequestReceived,
    ResponseReceived,
    StreamEnded,
    WindowUpdated,
)
from h2.exceptions import FlowControlError, ProtocolError
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.protocols import Message, http2
from lab.protocols.http2 import messages

AGENTS = ["okhttp/4.12.0", "Cronet/122.0.6261.64"]
ANNOUNCED = [{4: 1 << 24}, {1: 65_536, 2: 0, 4: 6_291_456, 6: 262_144}]
SIZES = st.integers(0, 30_000)


class Ends:
    """A client and a server of h2 that hear what the other one is said to say, and keep its account."""

    def __init__(self, agent=AGENTS[0]):
        made = {"header_encoding": "utf-8", "validate_outbound_headers": False}
        self.client = H2Connection(H2Configuration(client_side=True, **made))
        self.server = H2Connection(H2Configuration(client_side=False, **made))
        for end, said in ((self.client, ANNOUNCED[AGENTS.index(agent)]), (self.server, {3: 128, 4: 65_536})):
            end.local_settings.update(said)
            end.initiate_connection()
        self.requests, self.answers, self.ended, self.pings = {}, {}, set(), [0, 0]
        self.bodies = {True: {}, False: {}}
        self.settings = {}
        self.updates = {True: 0, False: 0}
        self.opened = False

    def all(self, said):
        for message in said:
            self.hear(message)

    def hear(self, message):
        end, own = (self.server, self.client) if message.from_client else (self.client, self.server)
        for event in end.receive_data(message.data):
            self._note(event, message.from_client)
            if isinstance(event, WindowUpdated):  # what one end grants it must itself reckon with
                own.increment_flow_control_window(event.delta, event.stream_id or None)

    def _note(self, event, from_client):
        if isinstance(event, RequestReceived):
            self.requests[event.stream_id] = dict(event.headers)
            self.server_hears(event)
        elif isinstance(event, ResponseReceived):
            self.answers[event.stream_id] = dict(event.headers)
        elif isinstance(event, DataReceived):
            of = self.bodies[from_client]
            of[event.stream_id] = of.get(event.stream_id, 0) + len(event.data)
        elif isinstance(event, StreamEnded):
            self.ended.add((from_client, event.stream_id))
        elif isinstance(event, PingReceived):
            self.pings[0] += 1
        elif isinstance(event, PingAckReceived):
            self.pings[1] += 1
        elif isinstance(event, RemoteSettingsChanged):
            self.settings[from_client] = {int(k): v.new_value for k, v in event.changed_settings.items()}
        elif isinstance(event, WindowUpdated):
            self.updates[from_client] += 1

    def server_hears(self, event):
        """The client's own machine must know the stream that it is said to have opened."""
        self.client.send_headers(event.stream_id, list(event.headers))


def read(dialogue):
    ends, said = Ends(dialogue.agent), list(messages(dialogue))
    ends.all(said)
    return ends, said


def cost(said, begin, side):
    return sum(len(m.data) for m in said[begin:] if m.from_client == side)


@given(
    st.lists(st.tuples(SIZES, SIZES), min_size=1, max_size=4), st.sampled_from(AGENTS), st.sampled_from(["", "POST"])
)
@settings(max_examples=40)
def test_h2_reads_every_stream_from_request_to_end(dialogue, pairs, agent, method):
    rows = [(15_000_000 * i, up, down, 5) for i, (up, down) in enumerate(pairs)]
    ends, _ = read(dialogue(rows, agent=agent, method=method, host="api.vendor.example"))
    streams = sum(max(pair) > 17 or pair == (0, 0) for pair in pairs)
    assert len(ends.requests) == len(ends.answers) == streams
    assert ends.ended == {(side, stream) for stream in ends.requests for side in (True, False)}
    first = 1 if "Cronet" in agent else 3
    assert sorted(ends.requests) == list(range(first, first + 2 * streams, 2))
    for stream, head in ends.requests.items():
        assert (head[":authority"], head[":scheme"], head["user-agent"]) == ("api.vendor.example", "https", agent)
        assert int(head.get("content-length", 0)) == ends.bodies[True].get(stream, 0)
    for stream, head in ends.answers.items():
        assert head[":status"] in {"200", "204"}
        assert int(head.get("content-length", 0)) == ends.bodies[False].get(stream, 0)
    assert ends.pings[0] == ends.pings[1]


@pytest.mark.parametrize("agent", AGENTS)
@given(up=st.integers(250, 40_000), down=st.integers(150, 200_000), method=st.sampled_from(["GET", "POST", ""]))
@settings(max_examples=60)
def test_sizes_are_met(dialogue, agent, up, down, method):
    up = min(up, 3_500) if method == "GET" else up
    said = list(
        messages(dialogue([(0, 300, 300, 5), (5_000_000, up, down, 5)], agent=agent, method=method, start=-(10**7)))
    )
    begin = next(i for i, m in enumerate(said) if m.time >= 5_000_000)
    assert abs(cost(said, begin, True) - up) <= 9
    assert abs(cost(said, begin, False) - down) <= 13


def test_settings_and_windows_are_those_of_real_stacks(dialogue):
    for agent, expected in zip(AGENTS, ANNOUNCED, strict=True):
        ends, _ = read(dialogue([(0, 300, 300, 5)], agent=agent))
        assert ends.settings[True].items() >= expected.items()
        assert ends.settings[False][3] == 128
        assert ends.updates == {True: 1, False: 1}


@pytest.mark.parametrize("agent", AGENTS)
def test_large_bodies_stay_within_the_windows(dialogue, agent):
    ends, said = read(dialogue([(0, 400_000, 30_000_000, 5), (10**6, 300, 20_000_000, 5)], agent=agent))
    assert [sum(ends.bodies[side].values()) > least for side, least in ((True, 399_000), (False, 49_900_000))] == [
        True
    ] * 2
    assert ends.updates[True] > 3
    assert len(said) > 6


def test_windows_that_nobody_widens_are_found(dialogue):
    made = dialogue([(0, 300, 30_000_000, 5)])
    kept = [message for message in messages(made) if not message.data.startswith(http2.update(3, 1)[:4])]
    assert len(kept) < len(list(messages(made)))
    with pytest.raises(FlowControlError):
        Ends().all(kept)


def test_a_stream_of_the_wrong_side_is_refused_by_the_reader(dialogue):
    ends, _ = read(dialogue([(0, 300, 300, 5)]))
    with pytest.raises(ProtocolError):
        ends.hear(Message(0, True, http2.frame(http2.HEADERS, 5, 4, b"\x82")))  # clients' streams are odd


def test_chrome_pings_a_connection_that_was_silent_and_okhttp_does_not(dialogue):
    rows = [(0, 300, 300, 5), (5_000_000, 300, 300, 5), (60_000_000, 300, 300, 5)]
    assert [read(dialogue(rows, agent=agent))[0].pings for agent in AGENTS] == [[0, 0], [1, 1]]


def test_small_exchanges_are_pings_of_either_side(dialogue):
    ends, said = read(dialogue([(0, 300, 300, 5), (10**6, 17, 17, 5), (2 * 10**6, 0, 17, 5)]))
    assert ends.pings == [2, 2]
    assert [len(m.data) for m in said[-4:]] == [17] * 4
    assert [m.from_client for m in said[-4:]] == [True, False, False, True]
    assert said[-2].pushed


def test_a_host_that_is_not_the_servers_is_the_authority(dialogue):
    made = dialogue([(0, 300, 300, 5)])
    made = type(made)(**{**vars(made), "options": {"host": "front.example", "path": "/v1/sync"}})
    head = read(made)[0].requests[3]
    assert head[":authority"] == "front.example"
    assert head[":path"].startswith("/v1/sync")


def test_a_long_poll_is_answered_when_it_is_due(dialogue):
    said = list(messages(dialogue([(0, 300, 300, 120_000_000)], start=0)))
    assert [m.time for m in said][-1] == 120_000_000


def test_a_stream_that_stays_open_carries_one_way_messages(dialogue):
    rows = [(10**6, 400, 0, 0), (2 * 10**6, 0, 5_000, 0), (3 * 10**6, 90, 17_000_000, 10)]
    ends, said = read(dialogue(rows, stream="1", start=0))
    assert list(ends.requests) == [3]
    assert ends.requests[3]["content-type"] == "application/grpc"
    assert ends.ended == set()
    assert ends.bodies[True][3] == 400 + 90 - 18
    assert abs(sum(len(m.data) for m in said if m.time >= 10**6 and not m.from_client) - 17_005_000) < 20
    assert [m.pushed for m in said if m.time == 2 * 10**6] == [True]


def test_the_preface_alone_when_the_first_request_is_late(dialogue):
    said = list(messages(dialogue([(5 * 10**6, 300, 300, 5)], start=0)))
    assert said[0].data.startswith(http2.PREFACE)
    assert [m.time < 10**4 for m in said] == [True, True, True, False, False], said
    assert len(list(messages(dialogue([], start=0)))) == 3
    assert np.all([m.data for m in said])


@pytest.mark.tools
@pytest.mark.parametrize("agent", AGENTS)
def test_tshark_and_suricata_find_nothing_odd(dialogue, malformed, anomalies, agent):
    rows = [(0, 300, 4_000, 50), (20 * 10**6, 90_000, 70_000, 50), (40 * 10**6, 17, 17, 0), (41 * 10**6, 0, 0, 0)]
    talks = [list(messages(dialogue(rows, port=80, agent=agent, seed=seed))) for seed in range(3)]
    talks.append(list(messages(dialogue(rows, port=80, agent=agent, stream="1", start=0))))
    assert malformed(talks, 80) == []
    assert anomalies(talks, 80) == []
