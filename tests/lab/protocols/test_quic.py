import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.capture.names import identify
from lab.protocols.handshakes import Manner
from lab.protocols.handshakes.initial import initial_keys, integer, room, sealed
from lab.protocols.handshakes.quic_hello import quic_client_hello
from lab.protocols.quic import LARGEST, LEAST_DOWN, LEAST_UP, messages
from lab.protocols.tls import client_pool_size

SIZES = st.lists(st.tuples(st.integers(0, 60_000), st.integers(0, 60_000)), max_size=4)


def test_keys_are_those_of_rfc_9001_appendix_a():
    client, server = initial_keys(bytes.fromhex("8394c8f03e515708"))
    assert [part.hex() for part in client] == [
        "1f369613dd76d5467730efcbe3b1a22d",
        "fa044b2f42a3fd3b46fb255c",
        "9f50449e04a0e810283a1e9933adedd2",
    ]
    assert [part.hex() for part in server] == [
        "cf3a5331653c364c88f0f379b6067e37",
        "0ac1493ca1905853b0bba03e",
        "c206b8d9b9f0f37644430b490eeaa314",
    ]


def test_the_servers_packet_is_that_of_rfc_9001_appendix_a():
    """Its A.3: the first server Initial, packet number 1, to a client without a connection id."""
    _, server = initial_keys(bytes.fromhex("8394c8f03e515708"))
    frames = bytes.fromhex(
        "02000000000600405a020000560303eefce7f7b37ba1d1632e96677825ddf73988cfc79825df566dc5430b9a045a1200130100002e"
        "00330024001d00209d3c940d89690b84d08a60993c144eca684d1081287c834d5311bcf32bb9da1a002b00020304"
    )
    made = sealed(server, 1, (b"", bytes.fromhex("f067a5502a4262b5")), frames)
    assert made.hex() == (
        "cf000000010008f067a5502a4262b5004075c0d95a482cd0991cd25b0aac406a5816b6394100f37a1c69797554780bb38cc5a99f5ede4cf7"
        "3c3ec2493a1839b3dbcba3f6ea46c5b7684df3548e7ddeb9c3bf9c73cc3f3bded74b562bfb19fb84022f8ef4cdd93795d77d06edbb7aaf2f"
        "58891850abbdca3d20398c276456cbc42158407dd074ee"
    )


@given(st.integers(100, 1300), st.binary(max_size=20))
def test_frames_fill_a_packet_as_foretold(size, ident):
    keys, _ = initial_keys(ident)
    assert len(sealed(keys, 0, (ident, b""), bytes(room(size, (ident, b""))))) == size


def spoken(dialogue, rows, *, stack=0, **options):
    return list(messages(dataclasses.replace(dialogue(rows, host="api.vendor.example", **options), stack=stack)))


def names(said):
    up, down = (b"".join(m.data for m in said if m.from_client == side) for side in (True, False))
    return identify("udp", 40_000, 443, up[:4096], down[:4096])


@pytest.mark.parametrize("stack", range(client_pool_size()))
def test_every_client_shape_is_read_from_its_first_datagram(dialogue, stack):
    said = spoken(dialogue, [(0, 300, 900, 5)], stack=stack)
    found = names(said[:1])
    assert (found.app_proto, found.sni, found.alpn) == ("quic", "api.vendor.example", "h3")
    assert found.ja4.startswith("q13d03")
    assert len(said[0].data) == LARGEST


@pytest.mark.parametrize(
    ("options", "sni"), [({"sni": "cdn.other.example"}, "cdn.other.example"), ({"sni": "none"}, None), ({"sni": ""}, "api.vendor.example")]
)  # fmt: skip
def test_the_name_in_the_hello_may_be_another_or_none(dialogue, options, sni):
    assert names(spoken(dialogue, [(0, 300, 900, 5)], **options)).sni == sni


@pytest.mark.parametrize("stack", range(client_pool_size()))
def test_hidden_names_and_resumed_sessions_are_offered_in_one_datagram(dialogue, stack):
    plain = spoken(dialogue, [(0, 300, 900, 5)], stack=stack)
    odd = spoken(dialogue, [(0, 300, 900, 5)], stack=stack, sni="outer.example", ech="1", resume="1")
    assert (names(odd).sni, len(odd[0].data)) == ("outer.example", LARGEST)
    # JA4 counts extensions: PSK in any case, ECH where the shape has none of its own
    more = int(names(odd).ja4[6:8]) - int(names(plain).ja4[6:8])
    assert more in {1, 2}
    flights = [
        sum(len(m.data) for m in said[: 1 + said[1:].index(next(m for m in said[1:] if m.from_client))])
        for said in (plain, odd)
    ]
    assert flights[1] < flights[0] - 500


def test_an_address_is_no_name(dialogue):
    said = list(messages(dialogue([(0, 300, 900, 5)], host="198.18.0.9")))
    assert (names(said).app_proto, names(said).sni) == ("quic", None)


@settings(deadline=None)
@given(SIZES)
def test_datagrams_are_of_the_bytes_asked_for_and_acknowledgements_on_top(dialogue, pairs):
    rows = [(10**6 * (i + 1), up, down, 5) for i, (up, down) in enumerate(pairs)]
    said = spoken(dialogue, rows, start=0)
    later = [m for m in said if m.time >= 10**6]
    assert all(len(m.data) <= LARGEST for m in said)
    ours = sum(len(m.data) for m in later if m.from_client)
    theirs = sum(len(m.data) for m in later if not m.from_client)
    lone = sum(1 for _, up, down, _ in rows if up and not down)
    wanted_up, wanted_down = (sum(max(size, least) for size in sizes if size) for sizes, least in (
        ([up for _, up, _, _ in rows], LEAST_UP), ([down for _, _, down, _ in rows], LEAST_DOWN)))  # fmt: skip
    assert wanted_up <= ours <= wanted_up + 40 * 8 * len(rows)
    assert wanted_down <= theirs <= wanted_down + 40 * lone


def test_a_servers_flight_keeps_below_three_times_what_it_heard(dialogue):
    """RFC 9000 section 8: before an address is validated."""
    for host in range(40):
        first, *rest = messages(dialogue([(0, 300, 900, 5)], host=f"h{host}.vendor.example"))
        flight = [m for m in rest if not m.from_client]
        until = next(i for i, m in enumerate(rest) if m.from_client)
        assert sum(len(m.data) for m in flight[:until]) <= 3 * len(first.data)


def test_the_first_request_goes_with_the_clients_finished(dialogue):
    said = spoken(dialogue, [(0, 300, 900, 5)])
    assert [m.from_client for m in said if m.time >= said[-1].time - 5][:3] == [True, True, False]


def test_a_hello_never_repeats_its_random_or_share(dialogue):
    import numpy as np

    rng = np.random.default_rng(1)
    (first, group), (second, _) = (
        quic_client_hello(0, manner=Manner("a.example", False, False), alpn="h3", rng=rng) for _ in range(2)
    )
    assert (len(first), group) == (len(second), 29)
    assert sum(a != b for a, b in zip(first, second, strict=True)) > 55
    with pytest.raises(LookupError, match="unknown TLS client stack"):
        quic_client_hello(10**6, manner=Manner("a.example", False, False), alpn="h3", rng=rng)


@given(st.integers(0, (1 << 30) - 1))
def test_integers_are_read_back(value):
    raw = integer(value)
    size = 1 << (raw[0] >> 6)
    assert len(raw) == size
    assert int.from_bytes(raw, "big") & ((1 << (8 * size - 2)) - 1) == value
