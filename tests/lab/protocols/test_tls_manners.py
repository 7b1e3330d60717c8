"""Hellos in another manner than plain: resumed, with ECH, of another name; and what real tools read in them."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.capture.names.tls import client_hello as fingerprint
from lab.protocols import Message, http
from lab.protocols.handshakes import Manner, shapes
from lab.protocols.handshakes.variant import is_grease
from lab.protocols.tls import able, client_pool_size, sizes, wrap

STACKS = range(client_pool_size())
NAMES = [shape.name for shape in shapes()]
MANNERS = [
    Manner(sni="cdn.front.example"),
    Manner(sni=""),
    Manner(ech=True),
    Manner(resume=True),
    Manner("cdn.front.example", ech=True, resume=True),
]
CONSCRYPT = {
    "conscrypt-okhttp4": "t13d1513h2_8daaf6152771_",  # the suites' hash is Chrome's: the same fifteen
    "conscrypt-urlconnection": "t13d1713h1_",
    "conscrypt-socket": "t13d1711",
    "conscrypt-okhttp4-android9": "t12d1209h2_",
}
READER = """
import json, sys
from scapy.layers.tls.record import TLS
for line in sys.stdin:
    read = TLS(bytes.fromhex(line)).msg[0]
    print(json.dumps([read.msgtype, list(read.ciphers), [ext.type for ext in read.ext]]))
"""


@pytest.mark.parametrize("manner", MANNERS)
@given(st.sampled_from(STACKS), st.integers(0, 2**32), st.sampled_from(["http/1.1", "", "h2"]))
@settings(max_examples=40)
def test_a_hello_of_any_manner_is_read_back_and_answered(
    records, read_client, read_server, wrapped, manner, stack, seed, alpn
):
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
def test_a_real_server_accepts_a_hello_of_any_manner(stack, manner, wrapped, accepted):
    flight = accepted(wrapped(stack, manner=manner)[0].data)
    assert (flight[0], flight[5]) == (22, 2)


@pytest.mark.parametrize("stack", STACKS, ids=NAMES)
def test_a_resumed_session_says_no_certificate_and_the_request_follows_at_once(stack, records, wrapped):
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


def test_a_resumed_hello_has_another_fingerprint_and_its_ticket_is_its_own(wrapped):
    stack = NAMES.index("conscrypt-okhttp4")
    one, other = (wrapped(stack, seed=seed, manner=Manner(resume=True))[0].data for seed in (1, 2))
    assert fingerprint(one).ja4 == fingerprint(other).ja4 != fingerprint(wrapped(stack)[0].data).ja4
    assert one[-40:] != other[-40:]


@pytest.mark.parametrize("stack", [k for k in STACKS if shapes()[k].permutes], ids=lambda k: NAMES[k])
def test_chrome_draws_grease_and_order_for_each_connection(stack, read_client, wrapped):
    hellos = [read_client(wrapped(stack, seed=seed, sent=[], start=0)[0]) for seed in range(60)]
    orders = {tuple(0xA0A if is_grease(kind) else kind for kind in one.kinds) for one in hellos}
    assert len(orders) >= 10
    greased = [[kind for kind in one.kinds if is_grease(kind)] for one in hellos]
    assert all(len(set(two)) == 2 for two in greased), "types must differ"
    assert len({tuple(two) for two in greased}) >= 10
    assert len({one.ciphers for one in hellos}) >= 6
    assert all(one.kinds[0] == two[0] for one, two in zip(hellos, greased, strict=True))
    assert len({frozenset(one.kinds) - {21} - set(two) for one, two in zip(hellos, greased, strict=True)}) == 1


def test_others_say_the_same_hello_every_time(read_client, wrapped):
    for stack in STACKS:
        if not shapes()[stack].permutes:
            kinds = {tuple(read_client(wrapped(stack, seed=seed, sent=[], start=0)[0]).kinds) for seed in range(20)}
            assert len(kinds) == 1


def test_ech_is_as_large_as_the_decoy_of_grease_ech_and_has_a_size_of_its_own(wrapped):
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


def test_hellos_of_conscrypt_are_read_by_scapy_and_have_the_ja4_of_their_lists(read_client, wrapped):
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
def test_tshark_finds_nothing_malformed(stack, tmp_path, dialogue, capture, wrapped):
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


@pytest.mark.parametrize("stack", STACKS, ids=NAMES)
@pytest.mark.parametrize("carried", [True, False])
def test_a_finished_that_is_carried_waits_for_the_request_in_tls_1_3(stack, carried):
    rng = np.random.Generator(np.random.SFC64(1))
    said = [Message(5_000_000, True, b"ask"), Message(5_000_000, False, b"told")]
    manner = Manner(carried=carried)
    found = list(wrap(said, host="a.example", stack=stack, alpn="h2", rng=rng, start=0, manner=manner))
    finished = found[2]
    waits = carried and shapes()[stack].modern
    assert (finished.time == 5_000_000) is waits
    assert found[3].from_client is waits
    assert [one.time for one in found] == sorted(one.time for one in found)
