"""The patched handshakes, read by a strict reader of ours, by OpenSSL, by the detector's JA4 and by tshark."""

import contextlib
import json
import shutil
import ssl
import subprocess
import sys
from dataclasses import dataclass, field

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.capture.names.tls import client_hello as fingerprint
from lab.protocols import Message, http
from lab.protocols.handshakes import Manner, shapes
from lab.protocols.handshakes.keys import share
from lab.protocols.handshakes.variant import VARIANTS, is_grease
from lab.protocols.real_tls import LiveTls
from lab.protocols.tls import able, client_pool_size, closing, sizes, wrap

STACKS = range(client_pool_size())
NAMES = [shape.name for shape in shapes()]
HOSTS = st.from_regex(r"([a-z0-9]([a-z0-9-]{0,60}[a-z0-9])?\.){1,3}example", fullmatch=True).filter(
    lambda h: len(h) <= 200
)
MANNERS = [
    Manner(sni="cdn.front.example"),
    Manner(sni=""),
    Manner(ech=True),
    Manner(resume=True),
    Manner("cdn.front.example", ech=True, resume=True),
]
SENT = [Message(5_000_000, True, b"q" * 300), Message(5_000_040, False, b"a" * 40_000), Message(9_000_000, True, b"q")]


def wrapped(stack, host="api.vendor.example", *, alpn="http/1.1", seed=7, sent=SENT, **more):
    return list(wrap(sent, host=host, stack=stack, alpn=alpn, rng=np.random.default_rng(seed), **more))


class Cursor:
    def __init__(self, data):
        self.data, self.place = data, 0

    def take(self, size):
        assert self.place + size <= len(self.data), f"{size} bytes wanted at {self.place} of {len(self.data)}"
        self.place += size
        return self.data[self.place - size : self.place]

    def number(self, size):
        return int.from_bytes(self.take(size), "big")

    def block(self, size):
        return self.take(self.number(size))

    @property
    def left(self):
        return len(self.data) - self.place


@dataclass
class Hello:
    random: bytes = b""
    session: bytes = b""
    ciphers: bytes = b""
    kinds: list = field(default_factory=list)
    sni: str | None = None
    alpn: list = field(default_factory=list)
    shares: list = field(default_factory=list)
    size: int = 0


def records(data):
    """(type, body) of each record; the data must end with the last one."""
    cursor, found = Cursor(data), []
    while cursor.left:
        kind, version = cursor.number(1), cursor.take(2)
        assert kind in {20, 21, 22, 23}
        assert version in {b"\x03\x01", b"\x03\x03"}
        body = cursor.block(2)
        assert 0 < len(body) <= (1 << 14) + 256
        found.append((kind, body))
    return found


def handshakes(body):
    """(type, body) of each clear handshake message in a record."""
    cursor, found = Cursor(body), []
    while cursor.left:
        found.append((cursor.number(1), cursor.block(3)))
    return found


def hello(body, *, client):
    """A ClientHello's or ServerHello's body."""
    cursor, read = Cursor(body), Hello(size=len(body) + 4)
    assert cursor.take(2) == b"\x03\x03"
    read.random, read.session = cursor.take(32), cursor.block(1)
    read.ciphers = cursor.block(2) if client else cursor.take(2)
    assert cursor.block(1) == b"\0" if client else cursor.take(1) == b"\0"
    extensions = Cursor(cursor.block(2))
    assert not cursor.left
    while extensions.left:
        kind, data = extensions.number(2), Cursor(extensions.block(2))
        assert kind not in read.kinds
        read.kinds.append(kind)
        _extension(read, kind, data, client=client)
    return read


def _extension(read, kind, data, *, client):
    if kind == 0 and client:
        names = Cursor(data.block(2))
        assert names.number(1) == 0
        read.sni = names.block(2).decode("ascii")
        assert not names.left
    elif kind == 16:
        names = Cursor(data.block(2))
        while names.left:
            read.alpn.append(names.block(1).decode("ascii"))
    elif kind == 51:
        shares = Cursor(data.block(2)) if client else data
        while shares.left:
            read.shares.append((shares.number(2), shares.block(2)))
    elif kind == 21:
        assert not any(data.take(data.left))
    else:
        data.take(data.left)
    assert not data.left


def read_client(message):
    (kind, body), *rest = records(message.data)
    assert (kind, rest) == (22, [])
    ((kind, body),) = handshakes(body)
    assert kind == 1
    return hello(body, client=True)


def read_server(message):
    ((kind, body), *_) = handshakes(records(message.data)[0][1])
    assert kind == 2
    return hello(body, client=False)


def test_the_pool_holds_many_stacks():
    recorded = {
        fingerprint(shape.client[0].header(len(shape.client[0].body)) + shape.client[0].body).ja4 for shape in shapes()
    }
    assert client_pool_size() == len(shapes()) >= 22
    assert len(recorded) >= 17
    assert {shape.version for shape in shapes()} == {"TLSv1.2", "TLSv1.3"}


@given(HOSTS, st.sampled_from(STACKS), st.sampled_from(["http/1.1", "", "mqtt", "h2"]), st.integers(0, 2**32))
def test_every_length_is_consistent_and_the_name_is_read_back(host, stack, alpn, seed):
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
def test_an_address_is_never_a_server_name(stack, host):
    messages = wrapped(stack, host)
    assert 0 not in read_client(messages[0]).kinds
    assert 0 not in read_server(messages[1]).kinds


@pytest.mark.parametrize("stack", STACKS, ids=NAMES)
def test_ja4_is_the_recorded_one(stack):
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
def test_a_real_server_accepts_the_patched_hello(stack):
    flight = accepted(wrapped(stack)[0].data)
    assert (flight[0], flight[5]) == (22, 2)


def test_a_real_server_refuses_a_hello_with_a_wrong_length():
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


def test_the_point_of_a_conversation_is_one_of_those():
    stack = NAMES.index("gnutls-curl")
    assert ec.EllipticCurvePublicKey.from_encoded_point(
        ec.SECP256R1(), dict(read_client(wrapped(stack)[0]).shares)[0x0017]
    )


def real_groups(asked):
    return [kind for kind, _ in asked.shares if not is_grease(kind)]


def accepted(data):
    """The first flight with which OpenSSL answers a ClientHello."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = LiveTls()._new_server("api.vendor.example").wrap_bio(incoming, outgoing, server_side=True)
    incoming.write(data)
    with contextlib.suppress(ssl.SSLWantReadError):
        server.do_handshake()
    return outgoing.read()


def test_mlkem_keys_pass_the_modulus_check_of_fips_203():
    key = share(0x11EC, np.random.default_rng(3), 1216)
    assert len(key) == 1184 + 32
    octets = np.frombuffer(key[:1152], dtype=np.uint8).reshape(-1, 3).astype(int)
    low, high = octets[:, 0] + ((octets[:, 1] & 15) << 8), (octets[:, 1] >> 4) + (octets[:, 2] << 4)
    assert max(low.max(), high.max()) < 3329
    with pytest.raises(LookupError, match="0x0100"):
        share(0x0100, np.random.default_rng(3), 256)


@pytest.mark.parametrize("stack", STACKS, ids=NAMES)
def test_conversations_differ_where_real_ones_do_and_nowhere_else(stack):
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
def test_no_two_conversations_share_a_random(stack):
    hellos = [wrapped(stack, seed=seed, sent=[], start=0)[:2] for seed in range(300)]
    randoms = {read_client(asked).random for asked, _ in hellos} | {read_server(said).random for _, said in hellos}
    assert len(randoms) == 2 * len(hellos)


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 70_000)), min_size=1, max_size=4), st.sampled_from(STACKS))
def test_records_carry_each_message_and_no_more(pairs, stack):
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
def test_flights_are_in_the_order_of_their_version(stack):
    sides = [m.from_client for m in wrapped(stack)]
    if shapes()[stack].modern:  # the request follows Finished at once, tickets come before the answer
        assert sides == [True, False, True, True, False, False, True]
    else:
        assert sides == [True, False, True, False, True, False, True]
    times = [m.time for m in wrapped(stack)]
    assert times == sorted(times)


def test_a_server_that_speaks_first_waits_for_the_handshake():
    messages = wrapped(0, sent=[Message(10, False, b"* OK", pushed=True)], start=0)
    assert [m.from_client for m in messages] == [True, False, True, False, False]
    assert messages[-1].pushed
    assert messages[-1].time >= messages[-2].time


def test_nothing_to_say_and_no_start_is_silence_and_an_unknown_stack_an_error():
    assert wrapped(0, sent=[]) == []
    assert len(wrapped(0, sent=[], start=5)) == 4
    with pytest.raises(LookupError, match="0 to"):
        wrapped(client_pool_size())
    with pytest.raises(LookupError, match="-1"):
        wrapped(-1)


@pytest.mark.parametrize("stack", STACKS, ids=NAMES)
def test_sizes_are_those_of_the_handshake(stack):
    messages = wrapped(stack, "lab.example", sent=[], start=0)
    up, down = (sum(len(m.data) for m in messages if m.from_client == side) for side in (True, False))
    assert (up, down) in {
        sizes(stack, variant=variant) for variant in range(VARIANTS if shapes()[stack].permutes else 1)
    }


@pytest.mark.parametrize("stack", [0, 1])
def test_the_close_is_one_alert_record(stack):
    alert = closing(7, stack=stack, from_client=True, rng=np.random.default_rng(1))
    ((kind, body),) = records(alert.data)
    assert (kind, len(body)) == ((23, 19) if shapes()[stack].modern else (21, 26))


def test_the_recorded_file_names_no_machine_and_holds_no_key():
    from importlib.resources import files

    text = files("lab.protocols").joinpath("data/handshakes.json").read_text()
    for word in ("/work", "/tmp", "PRIVATE", "SECRET", ".internal"):
        assert word not in text


@pytest.mark.parametrize("manner", MANNERS)
@given(st.sampled_from(STACKS), st.integers(0, 2**32), st.sampled_from(["http/1.1", "", "h2"]))
@settings(max_examples=40)
def test_a_hello_of_any_manner_is_read_back_and_answered(manner, stack, seed, alpn):
    shape = shapes()[able(stack, manner)]
    messages = wrapped(stack, seed=seed, alpn=alpn, manner=manner)
    asked, answered = read_client(messages[0]), read_server(messages[1])
    for message in messages:
        records(message.data)
    assert asked.sni == ({None: "api.vendor.example", "": None}.get(manner.sni, manner.sni))
    assert (41 in asked.kinds) == (41 in answered.kinds) == (manner.resume and shape.modern)
    if 41 in asked.kinds:
        assert asked.kinds[-1] == 41
        assert 45 in asked.kinds, "RFC 8446 section 4.2.9"
    if manner.ech:
        assert 0xFE0D in asked.kinds
        assert shape.modern
    if shape.pads:
        assert not 256 <= asked.size < 512
    suites = [asked.ciphers[at : at + 2] for at in range(0, len(asked.ciphers), 2)]
    assert set(answered.kinds) <= set(asked.kinds) | ({0xFF01} if b"\0\xff" in suites else set())
    if manner.resume:
        assert asked.session == answered.session
        assert shape.modern or len(asked.session) == 32


@pytest.mark.parametrize("manner", MANNERS)
@pytest.mark.parametrize("stack", STACKS, ids=NAMES)
def test_a_real_server_accepts_a_hello_of_any_manner(stack, manner):
    flight = accepted(wrapped(stack, manner=manner)[0].data)
    assert (flight[0], flight[5]) == (22, 2)


@pytest.mark.parametrize("stack", STACKS, ids=NAMES)
def test_a_resumed_session_says_no_certificate_and_the_request_follows_at_once(stack):
    manner = Manner(resume=True)
    (up, down), (full_up, full_down) = sizes(stack, manner=manner), sizes(stack)
    assert down < full_down - 900
    assert 0 <= up - full_up < 500 or not shapes()[stack].modern or shapes()[stack].pads
    sides = [m.from_client for m in wrapped(stack, manner=manner)]
    if shapes()[stack].modern:
        assert sides == [True, False, True, True, False, False, True]
    else:
        assert sides == [True, False, True, True, False, True]
        server = [kind for kind, _ in records(wrapped(stack, manner=manner)[1].data)]
        assert server == [22, 20, 22], "hello, ChangeCipherSpec, Finished"


def test_a_resumed_hello_has_another_fingerprint_and_its_ticket_is_its_own():
    stack = NAMES.index("conscrypt-okhttp4")
    one, other = (wrapped(stack, seed=seed, manner=Manner(resume=True))[0].data for seed in (1, 2))
    assert fingerprint(one).ja4 == fingerprint(other).ja4 != fingerprint(wrapped(stack)[0].data).ja4
    assert one[-40:] != other[-40:]


@pytest.mark.parametrize("stack", [k for k in STACKS if shapes()[k].permutes], ids=lambda k: NAMES[k])
def test_chrome_draws_grease_and_order_for_each_connection(stack):
    hellos = [read_client(wrapped(stack, seed=seed, sent=[], start=0)[0]) for seed in range(60)]
    orders = {tuple(0xA0A if is_grease(kind) else kind for kind in one.kinds) for one in hellos}
    assert len(orders) >= 10
    greased = [[kind for kind in one.kinds if is_grease(kind)] for one in hellos]
    assert all(len(set(two)) == 2 for two in greased), "types must differ"
    assert len({tuple(two) for two in greased}) >= 10
    assert len({one.ciphers for one in hellos}) >= 6
    assert all(one.kinds[0] == two[0] for one, two in zip(hellos, greased, strict=True))
    assert len({frozenset(one.kinds) - {21} - set(two) for one, two in zip(hellos, greased, strict=True)}) == 1


def test_others_say_the_same_hello_every_time():
    for stack in STACKS:
        if not shapes()[stack].permutes:
            kinds = {tuple(read_client(wrapped(stack, seed=seed, sent=[], start=0)[0]).kinds) for seed in range(20)}
            assert len(kinds) == 1


def test_ech_is_as_large_as_the_decoy_of_grease_ech_and_has_a_size_of_its_own():
    sizes_of = {
        len(wrapped(NAMES.index("nss-curl"), seed=seed, manner=Manner(ech=True), sent=[], start=0)[0].data)
        for seed in range(60)
    }
    assert max(sizes_of) - min(sizes_of) <= 96
    assert len(sizes_of) > 1


def test_a_stack_without_tls_13_is_replaced_for_ech_by_the_next_that_has_it():
    older = NAMES.index("openssl-curl-12")
    assert able(older, Manner(ech=True)) == older + 1
    assert able(older, Manner(resume=True)) == older
    assert shapes()[able(len(NAMES) - 1, Manner(ech=True))].modern
    with pytest.raises(LookupError):
        able(len(NAMES), Manner())


#: JA4 (FoxIO) of the shapes set as Conscrypt, worked out by hand from its definition: version, SNI, counts, ALPN.
CONSCRYPT = {
    "conscrypt-okhttp4": "t13d1513h2_8daaf6152771_",  # the suites' hash is Chrome's: the same fifteen
    "conscrypt-urlconnection": "t13d1713h1_",
    "conscrypt-socket": "t13d1711",
    "conscrypt-okhttp4-android9": "t12d1209h2_",
}


#: Says type, suites and extensions of each ClientHello read by scapy; in a process of its own, because importing scapy's
#: TLS changes how every later test of that process reads port 443.
READER = """
import json, sys
from scapy.layers.tls.record import TLS
for line in sys.stdin:
    read = TLS(bytes.fromhex(line)).msg[0]
    print(json.dumps([read.msgtype, list(read.ciphers), [ext.type for ext in read.ext]]))
"""


def test_hellos_of_conscrypt_are_read_by_scapy_and_have_the_ja4_of_their_lists():
    hellos = [wrapped(NAMES.index(name), "lab.example")[0] for name in CONSCRYPT]
    lines = "\n".join(message.data.hex() for message in hellos)
    ran = subprocess.run([sys.executable, "-c", READER], input=lines, capture_output=True, text=True, check=True)
    for message, start, line in zip(hellos, CONSCRYPT.values(), ran.stdout.splitlines(), strict=True):
        assert fingerprint(message.data).ja4.startswith(start)
        kind, suites, kinds = json.loads(line)
        assert (kind, kinds) == (1, read_client(message).kinds)
        assert not any(is_grease(value) for value in (*suites, *kinds)), "Conscrypt sends no GREASE"


@pytest.mark.tools
def test_suricata_and_tshark_find_nothing_odd_in_any_manner(tmp_path, dialogue, program, anomalies, malformed):
    program("suricata")
    said = http.messages(dialogue([(0, 400, 5_000, 900), (10**6, 2_000, 10, 900)]))
    plain = list(said)
    talks = [
        list(
            wrap(
                plain,
                host="api.vendor.example",
                stack=stack,
                alpn="h2",
                rng=np.random.default_rng(stack),
                manner=manner,
            )
        )
        for manner in [*MANNERS, Manner()]
        for stack in STACKS
    ]
    assert malformed(talks, 443) == []
    assert anomalies(talks, 443) == []


@pytest.mark.tools
@pytest.mark.parametrize("stack", [0, NAMES.index("conscrypt-okhttp4"), NAMES.index("boringssl-chrome146")])
def test_tshark_finds_nothing_malformed(stack, tmp_path, dialogue, capture):
    if shutil.which("tshark") is None:
        pytest.skip("tshark is not installed")
    made = dialogue([(0, 400, 50_000, 900), (10**6, 2_000, 10, 900)], host="api.vendor.example")
    capture(wrapped(stack, sent=list(http.messages(made))), tmp_path / "tls.pcap")
    fields = ["tls.handshake.extensions_server_name", "tls.record.length", "_ws.malformed", "_ws.expert.severity"]
    command = ["tshark", "-n", "-r", str(tmp_path / "tls.pcap"), "-T", "fields"]
    ran = subprocess.run(
        [*command, *[part for name in fields for part in ("-e", name)]], capture_output=True, text=True, check=True
    )
    rows = [line.split("\t") for line in ran.stdout.splitlines()]
    assert [row[0] for row in rows if row[0]] == ["api.vendor.example"]
    assert [row[2] for row in rows if row[2]] == []
    severities = {int(part) for row in rows for part in row[3].split(",") if part}
    assert all(severity < 0x00600000 for severity in severities)  # below PI_WARN: chat and notes only
