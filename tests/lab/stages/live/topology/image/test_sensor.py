"""The sensor with feeds that are given: what it writes, in which order, and what it admits to have missed."""

from __future__ import annotations

import json
import socket
import struct

import pytest

from lab.stages.live.topology.image import sensor as module
from lab.stages.live.topology.image.conntrack import Entry
from lab.stages.live.topology.image.diag import Heard
from lab.stages.live.topology.image.logged import SYN
from lab.stages.live.topology.image.netlink import Message, attribute
from lab.stages.live.topology.image.sensor import Sensor, main


class Given:
    """A feed of given messages; it is always readable."""

    def __init__(self, name):
        self.name = name
        self.overruns = 0
        self.messages = []
        self.ends = socket.socketpair()
        self.ends[0].send(b"x")

    def fileno(self):
        return self.ends[1].fileno()

    def waiting(self):
        given, self.messages = self.messages, []
        return given


class Asked:
    """The kernel's answers."""

    def __init__(self):
        self.heard = {"tcp": [], "udp": []}
        self.entry = None
        self.taken = []

    def listeners(self, proto):
        return self.heard[proto]

    def take_flow(self, source, target):
        self.taken.append((source, target))
        return self.entry


@pytest.fixture
def sensor(monkeypatch):
    feeds = {name: Given(name) for name in ("packets", "sockets", "flows")}
    monkeypatch.setattr(module, "packets_feed", lambda _group: feeds["packets"])
    monkeypatch.setattr(module, "sockets_feed", lambda: feeds["sockets"])
    monkeypatch.setattr(module, "flows_feed", lambda: feeds["flows"])
    monkeypatch.setattr(module, "Questions", Asked)
    yield Sensor()
    for feed in feeds.values():
        for end in feed.ends:
            end.close()


def packet(
    number, *, proto=6, inward=False, source=("10.88.1.2", 40000), target=("198.18.5.5", 443), flags=SYN, uid=10123
):
    ports = struct.pack(">HH", source[1], target[1])
    transport = ports + (struct.pack(">IIBBHHH", 7, 0, 0x50, flags, 1, 0, 0) if proto == 6 else b"\0\x09\0\0x")
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(transport), 1, 0, 64, proto, 0)
    whole = head + socket.inet_aton(source[0]) + socket.inet_aton(target[0]) + transport
    body = bytes(4) + attribute(10, b"in\0" if inward else b"out\0") + attribute(9, whole)
    body += attribute(12, struct.pack(">I", number))
    return Message(0x400, 0, body if inward else body + attribute(11, struct.pack(">I", uid)))


def destroyed(proto=6, local=("10.88.1.2", 40000), peer=("198.18.5.5", 443)):
    ends = struct.pack(">HH", local[1], peer[1])
    ends += socket.inet_aton(local[0]).ljust(16, b"\0") + socket.inet_aton(peer[0]).ljust(16, b"\0")
    info = bytearray(248)
    struct.pack_into("=Q", info, 128, 300)
    struct.pack_into("=QQ", info, 200, 50, 0)
    body = bytes([2, 7, 0, 0]) + ends + bytes(12) + bytes(20)
    return Message(20, 0, body + (attribute(2, bytes(info)) if proto == 6 else attribute(10, bytes([proto]))))


def written(sensor, capfd):
    sensor.step(0)
    return [json.loads(line) for line in capfd.readouterr().out.splitlines()]


def test_a_connection_that_began_and_ended_meanwhile_is_told_in_order(sensor, capfd):
    sensor.packets.messages = [packet(0)]
    sensor.sockets.messages = [destroyed()]
    first, last = written(sensor, capfd)
    assert (first["n"], first["event"], first["uid"], first["peer"]) == (1, "connect", 10123, ["198.18.5.5", 443])
    assert (last["n"], last["event"], last["bytes_up"], last["bytes_down"]) == (2, "close", 50, 300)
    assert first["time_us"] > 1_700_000_000_000_000


def test_an_end_of_what_is_not_the_lab_s_is_no_line(sensor, capfd):
    sensor.sockets.messages = [destroyed(peer=("127.0.0.1", 5037))]
    assert written(sensor, capfd) == []


def test_a_datagram_s_bytes_are_conntrack_s(sensor, capfd):
    sensor.packets.messages = [packet(0, proto=17)]
    sensor.sockets.messages = [destroyed(17)]
    sensor.questions.entry = Entry(("10.88.1.2", 40000), ("198.18.5.5", 443), 11, 22)
    _, last = written(sensor, capfd)
    assert (last["proto"], last["bytes_up"], last["bytes_down"]) == ("udp", 11, 22)
    assert sensor.questions.taken == [(("10.88.1.2", 40000), ("198.18.5.5", 443))]


def test_a_caller_s_datagrams_up_are_what_the_device_received(sensor, capfd):
    caller, door = ("198.19.0.9", 999), ("10.88.1.2", 5300)
    sensor.questions.heard["udp"] = [Heard("udp", ("0.0.0.0", 5300), 10200)]
    sensor.packets.messages = [packet(0, proto=17, inward=True, source=caller, target=door)]
    sensor.flows.messages = [Message(0x102, 0, b"")]
    (begun,) = written(sensor, capfd)
    assert (begun["event"], begun["uid"], begun["local"]) == ("accept", 10200, [*door])
    sensor.sockets.messages = [destroyed(17, door, ("0.0.0.0", 0))]
    sensor.questions.entry = Entry(caller, door, 5, 6)
    (ended,) = written(sensor, capfd)
    assert (ended["bytes_up"], ended["bytes_down"]) == (5, 6)


def test_a_flow_that_lapses_ends_though_its_socket_lives(sensor, capfd):
    (request,) = (module.conntrack.get_request(("10.88.1.2", 40000), ("198.18.5.5", 443))[16:],)
    sensor.packets.messages = [packet(0, proto=17)]
    sensor.flows.messages = [Message(0x102, 0, request)]
    begun, ended = written(sensor, capfd)
    assert (begun["event"], ended["event"], ended["bytes_up"]) == ("connect", "close", None)
    assert sensor.tracker.open == {}


def test_listeners_are_told_but_not_the_lab_s_own(sensor, capfd):
    doors = [("0.0.0.0", 1080, 10200), ("0.0.0.0", 5555, 0), ("127.0.0.11", 40111, 0), ("10.88.1.2", 1081, 10201)]
    sensor.questions.heard["tcp"] = [Heard("tcp", (address, port), uid) for address, port, uid in doors]
    assert sorted(line["uid"] for line in written(sensor, capfd)) == [10200, 10201]


def test_a_listener_is_known_before_the_first_call_it_gets(sensor, capfd):
    sensor._next_poll = float("inf")
    sensor.questions.heard["tcp"] = [Heard("tcp", ("0.0.0.0", 1080), 10200)]
    sensor.packets.messages = [packet(0, inward=True, source=("198.19.0.9", 5), target=("10.88.1.2", 1080))]
    assert [line["event"] for line in written(sensor, capfd)] == ["listen", "accept"]


def test_what_is_missing_is_said(sensor, capfd):
    sensor.packets.messages = [packet(4), packet(9, source=("10.88.1.2", 40001))]
    sensor.sockets.overruns = 2
    lines = written(sensor, capfd)
    assert [(line["what"], line["count"]) for line in lines if line["event"] == "lost"] == [
        ("packets", 4),
        ("sockets", None),
    ]
    assert [line["n"] for line in lines] == [1, 2, 3, 4]
    assert written(sensor, capfd) == []


def test_the_command_sets_up_says_ready_and_ends_with_its_counts(sensor, capfd, monkeypatch):
    monkeypatch.setattr(module, "Sensor", lambda: sensor)
    monkeypatch.setattr(module, "set_up", lambda spec: {"role": spec.role})
    monkeypatch.setattr(module.signal, "signal", lambda _number, stop: stop())
    spec = module.Spec("handset", "10.77.9.10", "10.77.9.1", 5555, ())
    assert main([spec.to_json()]) == 0
    ready, end = (json.loads(line) for line in capfd.readouterr().out.splitlines())
    assert (ready["event"], ready["network"]) == ("ready", {"role": "handset"})
    assert (end["event"], end["counts"]) == ("end", {"ready": 1})


def test_what_cannot_start_says_why(sensor, capfd, monkeypatch):
    monkeypatch.setattr(module, "Sensor", lambda: sensor)
    assert main(["{}"]) == 1
    assert main([]) == 1
    assert "sensor not started" in capfd.readouterr().err
