"""The patched handshakes, read by a strict reader of ours, by OpenSSL, by the detector's JA4 and by tshark."""

import ssl

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from detector.capture.names.tls import client_hello as fingerprint
from lab.protocols import Message
from lab.protocols.handshakes import shapes
from lab.protocols.handshakes.keys import share
from lab.protocols.handshakes.variant import VARIANTS, is_grease
from lab.protocols.tls import client_pool_size, closing, sizes

STACKS = range(client_pool_size())
NAMES = [shape.name for shape in shapes()]
HOSTS = st.from_regex(r"([a-z0-9]([a-z0-9-]{0,60}[a-z0-9])?\.){1,3}example", fullmatch=True).filter(
    lambda h: len(h) <= 200
)


def test_the_pool_holds_many_stacks():
    recorded = {
        fingerprint(shape.client[0].header(len(shape.client[0].body)) + shape.client[0].body).ja4 for shape in shapes()
    }
    assert client_pool_size() == len(shapes()) >= 22
    assert len(recorded) >= 17
    assert {shape.version for shape in shapes()} == {"TLSv1.2", "TLSv1.3"}


@given(HOSTS, st.sampled_from(STACKS), st.sampled_from(["http/1.1", "", "mqtt", "h2"]), st.integers(0, 2**32))
def test_every_length_is_consistent_and_the_name_is_read_back(
    records, read_client, read_server, wrapped, host, stack, alpn, seed
):
    messages = wrapped(stack, host, alpn=alpn, seed=seed)
    asked, answered = read_client(messages[0]), read_server(messages[1])
    for message in messages[2:]:
        records(message.data)
    assert asked.sni == host
    assert fingerprint(messages[0].data).sni == host
    suites = [asked.ciphers[at : at + 2] for at in range(0, len(asked.ciphers), 2)]
    assert answered.ciphers in suites
    # the suite 0x00ff stands for an empty renegotiation_info, RFC 5746 section 3.3
    assert set(answered.kinds) <= set(asked.kinds) | ({0xFF01} if b"\0\xff" in suites else set())
    if shapes()[stack].modern:
        assert answered.session == asked.session
        assert answered.shares[0][0] in [group for group, _ in asked.shares]
    if shapes()[stack].pads:
        assert not 256 <= asked.size < 512
    if alpn == "h2":
        assert "h2" in asked.alpn
        assert shapes()[stack].modern or answered.alpn == ["h2"]
    if asked.alpn and alpn:
        assert alpn in asked.alpn
    if not alpn:
        assert asked.alpn == []


@pytest.mark.parametrize("host", ["198.18.3.4", "2001:db8::4"])
@pytest.mark.parametrize("stack", STACKS, ids=NAMES)
def test_an_address_is_never_a_server_name(stack, host, read_client, read_server, wrapped):
    messages = wrapped(stack, host)
    assert 0 not in read_client(messages[0]).kinds
    assert 0 not in read_server(messages[1]).kinds


@pytest.mark.parametrize("stack", STACKS, ids=NAMES)
def test_ja4_is_the_recorded_one(stack, handshakes, hello, read_client, wrapped):
    record = shapes()[stack].client[0]
    recorded = fingerprint(record.header(len(record.body)) + record.body).ja4
    assert recorded is not None
    # a name a byte longer or shorter changes no extension, hence nothing JA4 reads; but padding comes and goes by size
    said = [wrapped(stack, host)[0] for host in ("lab.example", "api.vendor.example")]
    kinds = {kind for kind in hello(handshakes(record.body)[0][1], client=True).kinds if not is_grease(kind)}
    for message in said:
        differs = {kind for kind in read_client(message).kinds if not is_grease(kind)} ^ kinds
        assert differs <= {21}
        assert (fingerprint(message.data).ja4 == recorded) == (not differs)
    assert fingerprint(wrapped(stack, "198.18.0.9")[0].data).ja4 != recorded


@pytest.mark.parametrize("stack", STACKS, ids=NAMES)
def test_a_real_server_accepts_the_patched_hello(stack, wrapped, accepted):
    flight = accepted(wrapped(stack)[0].data)
    assert (flight[0], flight[5]) == (22, 2)


def test_a_real_server_refuses_a_hello_with_a_wrong_length(wrapped, accepted):
    with pytest.raises(ssl.SSLError):
        accepted(wrapped(0)[0].data.replace(b"\0\x12api.vendor.example", b"\0\x13api.vendor.example"))


@pytest.mark.parametrize("group", [0x0017, 0x0018, 0x0019])
def test_points_are_on_their_curve_and_a_changed_one_is_not(group):
    curve = {0x0017: ec.SECP256R1, 0x0018: ec.SECP384R1, 0x0019: ec.SECP521R1}[group]()
    points = {share(group, np.random.default_rng(seed), 0) for seed in range(20)}
    assert len(points) > 10
    for point in points:
        assert ec.EllipticCurvePublicKey.from_encoded_point(curve, point).curve.name == curve.name
    with pytest.raises(ValueError):
        ec.EllipticCurvePublicKey.from_encoded_point(curve, point[:-1] + bytes([point[-1] ^ 1]))


def test_the_point_of_a_conversation_is_one_of_those(read_client, wrapped):
    stack = NAMES.index("gnutls-curl")
    assert ec.EllipticCurvePublicKey.from_encoded_point(
        ec.SECP256R1(), dict(read_client(wrapped(stack)[0]).shares)[0x0017]
    )


def real_groups(asked):
    return [kind for kind, _ in asked.shares if not is_grease(kind)]


def test_mlkem_keys_pass_the_modulus_check_of_fips_203():
    key = share(0x11EC, np.random.default_rng(3), 1216)
    assert len(key) == 1184 + 32
    octets = np.frombuffer(key[:1152], dtype=np.uint8).reshape(-1, 3).astype(int)
    low, high = octets[:, 0] + ((octets[:, 1] & 15) << 8), (octets[:, 1] >> 4) + (octets[:, 2] << 4)
    assert max(low.max(), high.max()) < 3329
    with pytest.raises(LookupError, match="0x0100"):
        share(0x0100, np.random.default_rng(3), 256)


@pytest.mark.parametrize("stack", STACKS, ids=NAMES)
def test_conversations_differ_where_real_ones_do_and_nowhere_else(stack, read_client, read_server, wrapped):
    one, same, other = (wrapped(stack, seed=seed) for seed in (1, 1, 2))
    assert one == same
    first, second = read_client(one[0]), read_client(other[0])
    assert first.random != second.random
    assert not first.session or first.session != second.session
    assert real_groups(first) == real_groups(second)
    assert all(a != b for a, b in zip(first.shares, second.shares, strict=True) if len(a[1]) > 1)
    assert read_server(one[1]).random != read_server(other[1]).random
    if not shapes()[stack].permutes:  # ECH's decoy has one of four sizes
        assert [len(m.data) for m in one] == [len(m.data) for m in other]
        assert first.kinds == second.kinds


@pytest.mark.parametrize("stack", [0, 1])
def test_no_two_conversations_share_a_random(stack, read_client, read_server, wrapped):
    hellos = [wrapped(stack, seed=seed, sent=[], start=0)[:2] for seed in range(300)]
    randoms = {read_client(asked).random for asked, _ in hellos} | {read_server(said).random for _, said in hellos}
    assert len(randoms) == 2 * len(hellos)


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 70_000)), min_size=1, max_size=4), st.sampled_from(STACKS))
def test_records_carry_each_message_and_no_more(records, wrapped, pairs, stack):
    sent = [Message(5_000_000 + i, side, bytes(size)) for i, (side, size) in enumerate(pairs)]
    messages = wrapped(stack, sent=sent, start=0)
    overhead = 17 if shapes()[stack].modern else 24
    assert len(messages) == 4 + len(sent)
    for plain, message in zip(sent, messages[4:], strict=True):
        bodies = [len(body) - overhead for kind, body in records(message.data)]
        assert sum(bodies) == len(plain.data)
        assert max(bodies) <= 1 << 14
        assert (message.time, message.from_client) == (plain.time, plain.from_client)


@pytest.mark.parametrize("stack", STACKS, ids=NAMES)
def test_flights_are_in_the_order_of_their_version(stack, wrapped):
    sides = [m.from_client for m in wrapped(stack)]
    if shapes()[stack].modern:  # the request follows Finished at once, tickets come before the answer
        assert sides == [True, False, True, True, False, False, True]
    else:
        assert sides == [True, False, True, False, True, False, True]
    times = [m.time for m in wrapped(stack)]
    assert times == sorted(times)


def test_a_server_that_speaks_first_waits_for_the_handshake(wrapped):
    messages = wrapped(0, sent=[Message(10, False, b"* OK", pushed=True)], start=0)
    assert [m.from_client for m in messages] == [True, False, True, False, False]
    assert messages[-1].pushed
    assert messages[-1].time >= messages[-2].time


def test_nothing_to_say_and_no_start_is_silence_and_an_unknown_stack_an_error(wrapped):
    assert wrapped(0, sent=[]) == []
    assert len(wrapped(0, sent=[], start=5)) == 4
    with pytest.raises(LookupError, match="0 to"):
        wrapped(client_pool_size())
    with pytest.raises(LookupError, match="-1"):
        wrapped(-1)


@pytest.mark.parametrize("stack", STACKS, ids=NAMES)
def test_sizes_are_those_of_the_handshake(stack, wrapped):
    messages = wrapped(stack, "lab.example", sent=[], start=0)
    up, down = (sum(len(m.data) for m in messages if m.from_client == side) for side in (True, False))
    assert (up, down) in {
        sizes(stack, variant=variant) for variant in range(VARIANTS if shapes()[stack].permutes else 1)
    }


@pytest.mark.parametrize("stack", [0, 1])
def test_the_close_is_one_alert_record(stack, records):
    alert = closing(7, stack=stack, from_client=True, rng=np.random.default_rng(1))
    ((kind, body),) = records(alert.data)
    assert (kind, len(body)) == ((23, 19) if shapes()[stack].modern else (21, 26))


def test_the_recorded_file_names_no_machine_and_holds_no_key():
    from importlib.resources import files

    text = files("lab.protocols").joinpath("data/handshakes.json").read_text()
    for word in ("/work", "/tmp", "PRIVATE", "SECRET", ".internal"):
        assert word not in text
