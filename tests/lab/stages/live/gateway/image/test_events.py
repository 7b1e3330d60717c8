import errno
import json
import os
from types import SimpleNamespace

import pytest

from lab.stages.live.gateway.image.events import (
    Dns,
    Relayed,
    Sink,
    chunk_size,
    connection,
    frame_size,
    now_us,
    place,
    us,
)


def test_each_event_is_a_whole_line_at_once_in_the_file_of_its_capture(tmp_path):
    sink = Sink()
    sink.write("http", n=0)  # nobody listens
    for name in ("one", "two"):
        sink.open(os.open(tmp_path / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND))
        sink.write("http", capture=name)
        assert json.loads((tmp_path / name).read_text()) == {"v": 1, "event": "http", "capture": name}
    assert sink.close() == 1
    sink.write("http", n=1)
    assert (tmp_path / "two").read_text().count("\n") == 1


def test_an_event_that_cannot_be_written_is_not_passed_over():
    faults = []
    sink = Sink(failed=faults.append)
    sink.open(os.open("/dev/full", os.O_WRONLY))
    sink.write("http")
    assert sink.close() == 0
    assert [fault.errno for fault in faults] == [errno.ENOSPC]


def test_pieces_are_counted_by_side():
    passed = Relayed(0)
    passed.count(3, from_client=True)
    passed.count(40, from_client=False)
    passed.count(4, from_client=True)
    assert (passed.up, passed.down) == (7, 40)


def test_dns_over_tcp_is_cut_by_lengths_however_it_arrives():
    stream = b"\x00\x03abc\x00\x00\x00\x02de"
    for cut in range(len(stream)):
        dns = Dns(tcp=True)
        found = dns.messages(stream[:cut], from_client=True) + dns.messages(stream[cut:], from_client=True)
        assert found == [b"abc", b"", b"de"]
    assert dns.wire_size(b"abc") == 5
    assert dns.messages(b"\x00\x01x", from_client=False) == [b"x"]


def test_dns_over_udp_is_a_message_each():
    dns = Dns(tcp=False)
    assert dns.messages(b"\x00\x03a", from_client=True) == [b"\x00\x03a"]
    assert dns.wire_size(b"abc") == 3


def test_who_talks_to_whom():
    client = SimpleNamespace(peername=("10.88.1.1", 4, 0, 0), sni="a.example", tls_version="TLSv1.3", alpn=b"h2")
    server = SimpleNamespace(address=("198.18.0.1", 443), sockname=("100.64.77.1", 5), peername=None)
    assert connection(client, server) == {
        "client": ["10.88.1.1", 4],
        "server": ["198.18.0.1", 443],
        "upstream": ["100.64.77.1", 5],
        "upstream_peer": None,
        "sni": "a.example",
        "tls": "TLSv1.3",
        "alpn": "h2",
    }
    assert place(None) is None


def test_times_are_microseconds():
    assert us(1.5) == 1_500_000
    assert us(None) is None
    assert now_us() > 1_700_000_000_000_000


@pytest.mark.parametrize(("size", "framed"), [(0, 0), (1, 6), (15, 20), (16, 22), (4096, 4104)])
def test_chunks_have_their_size_in_hexadecimal(size, framed):
    assert chunk_size(size) == framed


@pytest.mark.parametrize(
    ("size", "masked", "framed"),
    [(0, False, 2), (125, True, 131), (126, False, 130), (65535, True, 65543), (65536, False, 65546)],
)
def test_websocket_frames_have_heads_of_three_lengths(size, masked, framed):
    assert frame_size(size, masked=masked) == framed
