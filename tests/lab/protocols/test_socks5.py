import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.protocols.socks5 import messages, request

HOSTS = st.from_regex(r"([a-z0-9]([a-z0-9-]{0,60}[a-z0-9])?\.){1,3}example", fullmatch=True).filter(
    lambda h: len(h) <= 200
)


class Proxy:
    """A strict reader of what a SOCKS5 client says, written from RFC 1928 and RFC 1929."""

    def __init__(self):
        self.state, self.target, self.login, self.relayed = "greeting", None, None, b""

    def hear(self, data):
        getattr(self, self.state)(data)

    def greeting(self, data):
        version, count = data[0], data[1]
        assert version == 5
        assert len(data) == 2 + count >= 3
        self.state = "credentials" if 2 in data[2:] else "request"

    def credentials(self, data):
        assert data[0] == 1
        user = data[2 : 2 + data[1]]
        assert len(data) == 3 + len(user) + data[2 + len(user)]
        self.login = (user, data[3 + len(user) :])
        self.state = "request"

    def request(self, data):
        assert data[:3] == b"\x05\x01\x00"
        size = {1: 4, 3: 1 + data[4], 4: 16}[data[3]]
        assert len(data) == 4 + size + 2
        raw = data[4 : 4 + size]
        host = raw[1:].decode() if data[3] == 3 else str(ipaddress.ip_address(raw))
        self.target, self.state = (host, int.from_bytes(data[-2:], "big")), "relay"

    def relay(self, data):
        self.relayed += data


def relayed(dialogue):
    proxy, answers = Proxy(), []
    for message in messages(dialogue):
        if message.from_client:
            proxy.hear(message.data)
        else:
            answers.append((proxy.state, message))
    return proxy, answers


@given(
    st.one_of(HOSTS, st.ip_addresses().map(str)),
    st.integers(1, 65_535),
    st.lists(st.tuples(st.integers(0, 50_000), st.integers(0, 50_000)), max_size=4),
)
def test_a_strict_proxy_reads_the_request_and_the_bytes(dialogue, host, port, pairs):
    rows = [(10_000_000 + i, up, down, 5) for i, (up, down) in enumerate(pairs)]
    written = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    proxy, answers = relayed(dialogue(rows, start=0, target=written))
    assert proxy.target == (host, port)
    assert len(proxy.relayed) == sum(up for up, _ in pairs)
    setup = [m.data for _, m in answers[:2]]
    assert setup == [b"\x05\x00", b"\x05\x00\x00\x01" + bytes(6)]
    assert sum(len(m.data) for _, m in answers[2:]) == sum(down for _, down in pairs)
    assert all(m.time <= 10_000_000 for _, m in answers[:2])


def test_a_user_logs_in_between_greeting_and_request(dialogue):
    proxy, answers = relayed(dialogue([(0, 10, 10, 1)], user="phone", password="inert"))
    assert proxy.login == (b"phone", b"inert")
    assert [m.data[:2] for _, m in answers[:3]] == [b"\x05\x02", b"\x01\x00", b"\x05\x00"]


def test_each_round_waits_for_the_one_before(dialogue):
    said = list(messages(dialogue([(0, 10, 10, 1)])))
    assert [m.from_client for m in said] == [True, False] * 3
    assert [m.time for m in said] == sorted(m.time for m in said)


def test_server_first_bytes_are_pushed(dialogue):
    *_, last = messages(dialogue([(9_000_000, 0, 10, 0)]))
    assert last.pushed


@pytest.mark.parametrize("target", ["shop.example", "shop.example:0", ":443", "shop.example:x", "a" * 300 + ":1"])
def test_an_impossible_target_is_refused(target):
    with pytest.raises(ValueError, match="target"):
        request(target)
