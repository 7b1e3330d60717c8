"""Token listeners over loopback."""

from __future__ import annotations

import socket

from lab.stages.live.topology.listeners import Listeners, own_address


def test_whoever_reaches_it_gets_the_token_by_either_transport():
    with Listeners(["127.0.0.1"], "t0k3n") as made:
        ((address, port),) = made.bound
        with socket.create_connection((address, port), 2) as asking:
            assert asking.recv(99) == b"t0k3n"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.settimeout(2)
            asking.sendto(b"?", (address, port))
            assert asking.recv(99) == b"t0k3n"
    assert made.reached_by == {"127.0.0.1"}
    with socket.socket() as asking:
        assert asking.connect_ex((address, port)) != 0


def test_an_address_of_another_machine_is_left_out():
    with Listeners(["198.51.100.7", "127.0.0.1"], "t0k3n") as made:
        assert [address for address, _ in made.bound] == ["127.0.0.1"]


def test_without_any_address_there_is_nothing_to_reach():
    with Listeners([], "t0k3n") as made:
        assert made.bound == []


def test_this_machine_s_own_address_is_one_or_none(monkeypatch):
    class Probe(socket.socket):
        def connect(self, _address):
            raise OSError(101, "Network is unreachable")

    monkeypatch.setattr(socket, "socket", Probe)
    assert own_address() is None
