import shutil
import ssl
import subprocess
from pathlib import Path

import numpy as np
import pytest
from cryptography import x509

from lab.errors import StageError
from lab.protocols import Message, http, http2
from lab.protocols.handshakes import Manner, shapes
from lab.protocols.real_tls import LiveTls, client_context, told_apart
from lab.protocols.tls import client_pool_size

MODERN = next(i for i, shape in enumerate(shapes()) if shape.modern)
OLDER = next(i for i, shape in enumerate(shapes()) if not shape.modern)
SENT = [
    Message(50, True, b"question " * 40),
    Message(90, False, bytes(range(256)) * 300),
    Message(9_000_000, True, b"q"),
]


def wrapped(live, stack=MODERN, host="api.vendor.example", sent=SENT, **more):
    return list(live.wrap(sent, host=host, stack=stack, alpn="http/1.1", rng=np.random.default_rng(1), **more))


def open_files():
    return len(list(Path("/dev/fd").iterdir()))


def random_of(hello):
    return hello[11:43].hex()


@pytest.mark.parametrize("host", ["api.vendor.example", "198.18.4.5", "2001:db8::5", "a" * 63 + ".example"])
@pytest.mark.parametrize("stack", [MODERN, OLDER])
def test_a_verified_handshake_and_records_of_every_message(stack, host):
    live = LiveTls()
    messages = wrapped(live, stack, host)
    assert messages[0].data[5] == 1
    assert len(messages) == 4 + len(SENT)
    plain = sum(len(m.data) for m in SENT if not m.from_client)
    assert sum(len(m.data) for m in messages if not m.from_client) > plain
    assert (host.encode() in messages[0].data) == ("example" in host)
    assert all(SENT[0].data not in m.data for m in messages)


def test_the_key_log_names_the_client_randoms(tmp_path):
    live = LiveTls(tmp_path / "keys.log")
    hellos = [wrapped(live, stack)[0].data for stack in (MODERN, OLDER)]
    lines = [line.split() for line in live.keylog().splitlines()]
    assert all(len(line) == 3 for line in lines)
    of = {random: {label for label, which, _ in lines if which == random} for random in map(random_of, hellos)}
    assert {"CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0"} <= of[random_of(hellos[0])]
    assert of[random_of(hellos[1])] == {"CLIENT_RANDOM"}
    assert (tmp_path / "keys.log").read_text() == live.keylog()


def test_two_labs_share_no_authority_and_trust_no_other():
    one, other = LiveTls(), LiveTls()
    assert one.ca_pem != other.ca_pem
    assert x509.load_pem_x509_certificate(one.ca_pem.encode()).subject.rfc4514_string() == "CN=droidrange lab CA"
    one._servers["api.vendor.example", "http/1.1"] = other._server("api.vendor.example", "http/1.1")
    with pytest.raises(ssl.SSLCertVerificationError):
        wrapped(one)


def test_no_file_stays_open_even_if_nobody_listens_to_the_end():
    live, before = LiveTls(), open_files()
    next(live.wrap(SENT, host="api.vendor.example", stack=MODERN, alpn="", rng=np.random.default_rng(1)))
    wrapped(live)
    assert open_files() == before


def test_times_and_order_are_those_of_the_recorded_tls(dialogue):
    from lab.protocols.tls import wrap

    for stack in (MODERN, OLDER):
        made = [(0, 300, 900, 10), (9_000_000, 300, 900, 10)]
        fixed = {"host": "api.vendor.example", "stack": stack, "alpn": "http/1.1"}
        real, recorded = (
            [
                (m.time, m.from_client, m.pushed)
                for m in way(http.messages(dialogue(made)), rng=np.random.default_rng(1), **fixed)
            ]
            for way in (LiveTls().wrap, wrap)
        )
        assert [side for _, side, _ in real] == [side for _, side, _ in recorded]
        assert [time for time, *_ in real][-2:] == [9_000_000, 9_000_010]


def test_silence_and_an_unknown_stack():
    assert wrapped(LiveTls(), sent=[]) == []
    with pytest.raises(LookupError, match="known are"):
        wrapped(LiveTls(), stack=10_000)


@pytest.mark.parametrize("name", ["cdn.front.example", ""])
def test_another_name_or_none_is_said_and_no_server_name_but_that_one(name):
    hello = wrapped(LiveTls(), manner=Manner(sni=name))[0].data
    assert b"api.vendor.example" not in hello
    assert (b"cdn.front.example" in hello) == bool(name)


@pytest.mark.parametrize("manner", [Manner(ech=True), Manner(resume=True)])
def test_what_openssl_is_not_asked_for_is_refused(manner):
    with pytest.raises(StageError, match="ech" if manner.ech else "resume"):
        wrapped(LiveTls(), manner=manner)


@pytest.mark.tools
def test_tshark_reads_http2_with_the_key_log_and_finds_nothing_malformed(tmp_path, dialogue, capture):
    if shutil.which("tshark") is None:
        pytest.skip("tshark is not installed")
    keys = tmp_path / "keys.log"
    made = dialogue([(0, 400, 50_000, 900), (10**6, 30_000, 700, 900), (2 * 10**6, 17, 17, 9)])
    sent = list(http2.messages(made))
    said = LiveTls(keys).wrap(sent, host=made.host, stack=MODERN, alpn="h2", rng=np.random.default_rng(1))
    capture(list(said), tmp_path / "h2.pcap")
    fields = ["http2.headers.method", "http2.headers.status", "_ws.malformed", "_ws.expert.severity"]
    command = ["tshark", "-n", "-r", str(tmp_path / "h2.pcap"), "-o", f"tls.keylog_file:{keys}", "-T", "fields"]
    command += [part for name in fields for part in ("-e", name)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    columns = list(zip(*(line.split("\t") for line in ran.stdout.splitlines()), strict=True))
    assert [value for value in columns[0] if value] == ["GET", "POST"]
    assert [value for value in columns[1] if value] == ["200", "200"]
    assert not any(columns[2])
    assert all(int(part) < 0x00600000 for cell in columns[3] for part in cell.split(",") if part)


@pytest.mark.tools
@pytest.mark.parametrize("stack", [MODERN, OLDER])
def test_tshark_decrypts_it_with_the_key_log_and_not_without(stack, tmp_path, dialogue, capture):
    if shutil.which("tshark") is None:
        pytest.skip("tshark is not installed")
    keys = tmp_path / "keys.log"
    made = dialogue([(0, 400, 50_000, 900), (10**6, 300, 700, 900)], path="/v1/inbox")
    capture(wrapped(LiveTls(keys), stack, sent=list(http.messages(made))), tmp_path / "tls.pcap")

    def requests(*options):
        command = ["tshark", "-n", "-r", str(tmp_path / "tls.pcap"), *options, "-Y", "http", "-T", "fields"]
        ran = subprocess.run(
            [*command, "-e", "http.host", "-e", "http.content_length"], capture_output=True, text=True, check=True
        )
        return ran.stdout.split()

    assert requests() == []
    read = requests("-o", f"tls.keylog_file:{keys}")
    assert read.count("api.vendor.example") == 2
    assert len(read) == 4


@pytest.mark.parametrize("alpn", ["", "http/1.1"])
def test_shapes_a_sensor_cannot_tell_apart_stay_so_and_others_do_not(alpn):
    groups = {}
    for stack in range(client_pool_size()):
        context = client_context(stack, alpn, LiveTls().ca_pem)
        offered = tuple(suite["name"] for suite in context.get_ciphers())
        groups.setdefault((told_apart(stack, alpn), offered, context.maximum_version), []).append(stack)
    firsts = {told_apart(stack, alpn) for stack in range(client_pool_size())}
    assert len(groups) == len(firsts)
    assert (told_apart(11, alpn) == told_apart(10, alpn)) == (alpn == "")
    assert len(firsts) > 10
