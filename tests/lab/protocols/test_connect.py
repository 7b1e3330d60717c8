import base64

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.protocols.connect import messages, request

HOSTS = st.from_regex(r"([a-z0-9]([a-z0-9-]{0,60}[a-z0-9])?\.){1,3}example", fullmatch=True)


def asked(said):
    """The request as h11's server reads it."""
    server = h11.Connection(h11.SERVER)
    server.receive_data(said[0].data)
    got = server.next_event()
    assert isinstance(server.next_event(), h11.EndOfMessage)
    assert server.next_event() is h11.PAUSED, "it waits for the tunnel"
    return got


def answered(said):
    """The answer as h11's client reads it; from then on the connection is a tunnel."""
    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method="CONNECT", target="a.example:443", headers=[("Host", "a.example:443")]))
    client.send(h11.EndOfMessage())
    client.receive_data(said[1].data)
    got = client.next_event()
    assert client.their_state is h11.SWITCHED_PROTOCOL
    return got


@given(
    st.one_of(HOSTS, st.ip_addresses().map(str)),
    st.integers(1, 65_535),
    st.lists(st.tuples(st.integers(0, 50_000), st.integers(0, 50_000)), max_size=4),
)
def test_a_strict_proxy_reads_the_request_and_the_bytes(dialogue, host, port, pairs):
    target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    rows = [(10_000_000 + i, up, down, 5) for i, (up, down) in enumerate(pairs)]
    said = list(messages(dialogue(rows, start=0, target=target)))
    got = asked(said)
    assert (got.method, got.target) == (b"CONNECT", target.encode())
    assert dict(got.headers)[b"host"] == target.encode()
    assert answered(said).status_code == 200
    assert b"content-length" not in dict(answered(said).headers)
    for side, wanted in ((True, sum(up for up, _ in pairs)), (False, sum(down for _, down in pairs))):
        assert sum(len(m.data) for m in said[2:] if m.from_client == side) == wanted


def test_nothing_is_relayed_before_the_proxy_has_dialled(dialogue):
    said = list(messages(dialogue([(0, 10, 10, 1)])))
    assert [m.from_client for m in said] == [True, False] * 2
    assert 15_000 <= said[1].time <= said[2].time
    assert not said[1].pushed


def test_server_first_bytes_are_pushed(dialogue):
    *_, last = messages(dialogue([(9_000_000, 0, 10, 0)]))
    assert last.pushed


def test_a_user_is_named_in_the_request(dialogue):
    said = list(messages(dialogue([(0, 10, 10, 1)], user="phone", password="inert")))
    sent = dict(asked(said).headers)[b"proxy-authorization"]
    assert base64.b64decode(sent.removeprefix(b"Basic ")) == b"phone:inert"
    assert b"proxy-authorization" not in dict(asked(list(messages(dialogue([(0, 10, 10, 1)])))).headers)


@pytest.mark.parametrize("target", ["shop.example", "shop.example:0", ":443", "shop.example:x", "a.example:70000"])
def test_an_impossible_target_is_refused(target):
    with pytest.raises(ValueError, match="target"):
        request(target, "agent/1.0")


@pytest.mark.tools
def test_tshark_and_suricata_find_nothing_odd(dialogue, malformed, anomalies):
    rows = [(0, 300, 4_000, 50), (10**6, 0, 70_000, 50)]
    talks = [
        list(messages(dialogue(rows, port=3128, seed=seed, **who)))
        for seed, who in enumerate(({}, {"user": "u", "password": "p"}))
    ]
    assert malformed(talks, 3128) == []
    assert anomalies(talks, 3128) == []
