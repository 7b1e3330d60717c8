"""Packets come together by endpoints, also when every hash is the same."""

import numpy as np

from detector.capture import pairs


def conversation(wire):
    packets = []
    for number in range(60):
        port = 40_000 + number % 7
        packets.append(wire.udp(number * 1_000, bytes(10 + number), port=port, down=number % 3 == 0, server_port=9_000))
    return wire.pcap(packets)


def test_colliding_hashes_give_the_same_tables(wire, monkeypatch):
    data = conversation(wire)
    honest = wire.read(data)
    exact = []
    original = pairs._exact
    monkeypatch.setattr(pairs, "_exact", lambda *given: exact.append(1) or original(*given))
    wire.read(data)
    assert not exact, "without a collision one sort is enough"
    monkeypatch.setattr(pairs, "_mixed", lambda low, _high, _kind: np.zeros(len(low), np.uint64))
    collided = wire.read(data)
    assert exact == [1]
    assert collided.flows.equals(honest.flows)
    assert collided.exchanges.equals(honest.exchanges)
    assert honest.flows.num_rows == 7


def test_partial_collision_is_found(wire, monkeypatch):
    data = conversation(wire)
    honest = wire.read(data)
    monkeypatch.setattr(pairs, "_mixed", lambda low, high, _kind: (low ^ high) % np.uint64(3) << np.uint64(60))
    assert wire.read(data).flows.equals(honest.flows)
