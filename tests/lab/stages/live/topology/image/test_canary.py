"""The canary over loopback: it answers everybody and counts what came from whom."""

from __future__ import annotations

import socket
import threading

import pytest

from lab.stages.live.topology.image import canary as module
from lab.stages.live.topology.image.canary import Canary, main


class Wire:
    """A packet socket whose frames are given."""

    def __init__(self):
        self.frames = []
        self.ends = socket.socketpair()

    def give(self, mac, protocol=0x0800, kind=0, name="eth0"):
        frame = bytes(6) + bytes.fromhex(mac.replace(":", "")) + protocol.to_bytes(2)
        self.frames.append((frame, (name, protocol, kind, 1, b"")))
        self.ends[0].send(b"x")

    def fileno(self):
        return self.ends[1].fileno()

    def recvfrom(self, _size):
        self.ends[1].recv(1)
        return self.frames.pop(0)


@pytest.fixture
def canary(monkeypatch):
    wire, real = Wire(), socket.socket

    def opened(family=socket.AF_INET, kind=socket.SOCK_STREAM, *rest, **more):
        return wire if family == socket.AF_PACKET else real(family, kind, *rest, **more)

    monkeypatch.setattr(module.socket, "socket", opened)
    made = Canary("the token", 0)
    made.wire = wire
    yield made
    for one in (made.tcp, made.udp, *wire.ends):
        one.close()


def test_whoever_asks_gets_the_token(canary):
    with socket.create_connection(("127.0.0.1", canary.tcp.getsockname()[1]), 2) as asking:
        canary.step(1)
        assert asking.recv(99) == b"the token"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(2)
        asking.sendto(b"?", ("127.0.0.1", canary.udp.getsockname()[1]))
        canary.step(1)
        assert asking.recv(99) == b"the token"


def test_frames_are_counted_by_sender_and_kind_but_not_its_own(canary):
    mac = "02:42:0a:4d:01:05"
    canary.wire.give(mac)
    canary.wire.give(mac, 0x0806)
    canary.wire.give(mac, 0x86DD)
    canary.wire.give("02:42:0a:4d:01:fa", kind=4)
    canary.wire.give(mac, name="lo")
    for _ in range(5):
        canary.step(0)
    assert canary.frames == {mac: {"arp": 1, "other": 2}}


def test_the_command_listens_until_it_is_told_to_stop(canary, capsys, monkeypatch):
    monkeypatch.setattr(module, "Canary", lambda _token, _port: canary)
    monkeypatch.setattr(module.signal, "signal", lambda _number, stop: threading.Timer(0.05, stop).start())
    assert main(["token", "9999"]) == 0
    assert capsys.readouterr().out == "listening\n{}\n"
