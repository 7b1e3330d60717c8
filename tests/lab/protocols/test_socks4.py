import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.protocols.socks4 import messages, request

HOSTS = st.from_regex(r"([a-z0-9]([a-z0-9-]{0,60}[a-z0-9])?\.){1,3}example", fullmatch=True).filter(
    lambda h: len(h) <= 200
)


def read(data):
    """(host, port, user) of a request, as the memos of SOCKS4 and 4A have it."""
    assert data[:2] == b"\x04\x01"
    user, _, rest = data[8:].partition(b"\0")
    address = data[4:8]
    if address[:3] == bytes(3) and address[3]:
        name, _, none = rest.partition(b"\0")
        assert none == b""
        return name.decode(), int.from_bytes(data[2:4], "big"), user.decode()
    assert rest == b""
    return str(ipaddress.IPv4Address(address)), int.from_bytes(data[2:4], "big"), user.decode()


@given(
    st.one_of(HOSTS, st.ip_addresses(v=4).filter(lambda a: int(a) > 255).map(str)),
    st.integers(1, 65_535),
    st.text("abcxyz", max_size=9),
    st.lists(st.tuples(st.integers(0, 50_000), st.integers(0, 50_000)), max_size=4),
)
def test_a_proxy_reads_the_request_and_the_bytes(dialogue, host, port, user, pairs):
    rows = [(10_000_000 + i, up, down, 5) for i, (up, down) in enumerate(pairs)]
    asked, answered, *relayed = messages(dialogue(rows, start=0, target=f"{host}:{port}", user=user))
    assert read(asked.data) == (host, port, user)
    assert answered.data == b"\x00\x5a" + bytes(6)
    for side, column in ((True, 0), (False, 1)):
        assert sum(len(m.data) for m in relayed if m.from_client == side) == sum(pair[column] for pair in pairs)


@pytest.mark.parametrize(
    "target",
    ["shop.example", "shop.example:0", ":443", "shop.example:x", "a" * 300 + ":1", "[2001:db8::1]:80", "a\0b:1"],
)
def test_an_impossible_target_is_refused(target):
    with pytest.raises(ValueError, match=r"target|SOCKS4"):
        request(target)
