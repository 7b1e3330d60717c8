"""The outer side's verdicts on crafted frames: what a lab may send, and everything else."""

from __future__ import annotations

import socket
import struct
from ipaddress import IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.stages.live.topology import watch as module
from lab.stages.live.topology.watch import Frame, Inside, Watch, bridge_of, judged, ports_of, verdict

HOST, GATEWAY, PHONE = "10.77.9.1", "10.77.9.2", "10.77.9.10"
MACS = {"02:42:00:00:00:02": "gateway", "02:42:00:00:00:0a": "handset-01", "02:42:00:00:00:fa": "canary"}
INSIDE = Inside(MACS, IPv4Network("10.77.9.0/24"), HOST, frozenset({GATEWAY, PHONE}))
NONCE = b"x0123456789"


def frame(target, ports, proto=17, source=PHONE, mac="02:42:00:00:00:0a", payload=b"", kind=0x0800):
    head = struct.pack(">BBHHHBBH", 0x45, 0, 28 + len(payload), 1, 0, 64, proto, 0)
    whole = head + socket.inet_aton(source) + socket.inet_aton(target) + struct.pack(">HH", *ports) + bytes(4) + payload
    return bytes(6) + bytes.fromhex(mac.replace(":", "")) + kind.to_bytes(2) + whole


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (frame(GATEWAY, (50000, 4789)), "vxlan"),
        (frame(HOST, (5555, 40000), 6), "adb"),
        (frame(HOST, (9000, 40000), 6), "control"),
        (frame(HOST, (0, 0), kind=0x0806), "arp"),
        (frame("10.77.9.250", (50000, 4789)), "leak: udp from port 50000 to 10.77.9.250:4789"),
        (frame(HOST, (40000, 5555), 6), "leak: tcp from port 40000 to 10.77.9.1:5555"),
        (frame(PHONE, (5555, 40000), 6), "leak: tcp from port 5555 to 10.77.9.10:40000"),
        (frame("198.51.100.7", (1, 443), 6), "leak: tcp from port 1 to 198.51.100.7:443"),
        (frame(HOST, (5555, 40000), 17), "leak: udp from port 5555 to 10.77.9.1:40000"),
        (frame(HOST, (0, 0), 1), "leak: protocol 1 to 10.77.9.1"),
        (frame(HOST, (0, 0), kind=0x86DD), "leak: frame of type 0x86dd"),
        (frame(HOST, (0, 0))[:30], "leak: frame of type 0x0800"),
        (frame(HOST, (0, 0))[:36], "leak: protocol 17 to 10.77.9.1"),
    ],
)
def test_verdicts(data, found):
    assert verdict(data, INSIDE) == found


@given(st.binary(min_size=0, max_size=80))
def test_no_bytes_break_it_and_none_pass_by_accident(data):
    assert verdict(data, INSIDE) in {"arp", "vxlan", "adb", "control"} or verdict(data, INSIDE).startswith("leak: ")
    judged([Frame("veth1", True, data), Frame("eth0", True, data)], ["veth1"], INSIDE, "br-1", NONCE)


def counted(*frames):
    return judged(list(frames), ["veth1", "veth2"], INSIDE, "br-1", NONCE)


def test_a_port_counts_what_its_container_sent_and_not_what_it_was_sent():
    data = frame(GATEWAY, (50000, 4789))
    found = counted(Frame("veth1", True, data), Frame("veth1", False, data), Frame("br-1", True, data))
    assert found == {"frames": {"vxlan": 1}, "leaked": 0, "leaks": []}


def test_a_leak_says_who_and_where_and_how_often():
    data = frame("198.51.100.7", (7, 443), 6)
    found = counted(*[Frame("veth1", True, data)] * 3)
    assert (found["leaked"], found["leaks"]) == (3, ["handset-01: tcp from port 7 to 198.51.100.7:443 (3)"])


def test_the_canary_may_do_what_others_may_not():
    data = frame(HOST, (40000, 4001), 6, mac="02:42:00:00:00:fa")
    assert counted(Frame("veth2", True, data)) == {"frames": {"canary": 1}, "leaked": 0, "leaks": []}


def test_anything_of_the_lab_on_another_interface_is_a_leak():
    routed = frame("198.51.100.7", (7, 443), 6, mac="02:99:00:00:00:01")
    asked = frame("192.0.2.53", (7, 53), source="192.0.2.2", mac="02:99:00:00:00:01", payload=NONCE)
    found = counted(Frame("eth0", False, routed), Frame("lo", True, asked))
    assert found["leaks"] == ["somebody: seen on eth0 (1)", "somebody: seen on lo (1)"]


def test_what_others_do_on_this_machine_is_not_counted():
    other = frame("198.51.100.7", (7, 443), 6, source="192.0.2.2", mac="02:99:00:00:00:01")
    own = frame(PHONE, (7, 5555), 6, source=HOST, mac="02:99:00:00:00:01")
    assert counted(Frame("eth0", False, other), Frame("eth0", False, own), Frame("veth1", True, other))["leaked"] == 0


def test_without_the_right_to_watch_it_says_so(monkeypatch):
    def refuse(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(module.socket, "socket", refuse)
    with Watch() as made:
        assert not made.able
    assert (made.frames, made.dropped) == ([], 0)


def test_frames_are_collected_until_there_are_too_many(monkeypatch):
    class Given:
        def __init__(self, *_):
            self.left = 5

        def setsockopt(self, *_):
            pass

        settimeout = close = setsockopt

        def getsockopt(self, *_):
            return struct.pack("=II", 9, 2)

        def recvfrom(self, _size):
            self.left -= 1
            if self.left < 0:
                made._stopping.set()
                raise TimeoutError
            return b"x", ("veth1", 0x0800, 4 if self.left == 4 else 0, 1, b"")

    monkeypatch.setattr(module.socket, "socket", Given)
    monkeypatch.setattr(module, "_MOST", 3)
    made = Watch()
    with made:
        made._stopping.wait(5)
    assert made.frames == [Frame("veth1", inward, b"x") for inward in (False, True, True)]
    assert made.dropped == 2 + 2


def test_a_bridge_is_named_after_its_network_and_may_be_elsewhere():
    assert bridge_of("0123456789abcdef") == "br-0123456789ab"
    assert ports_of("br-that-is-not-here") == []
