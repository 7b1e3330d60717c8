"""Local ports of datagrams: all of the kernel's range, none twice in a turn, phones apart from each other."""

from __future__ import annotations

from lab.stages.live.local_ports import FIRST, LAST, LocalPorts


def test_no_port_comes_twice_before_all_others_did() -> None:
    ports = LocalPorts()
    taken = [ports.take(0) for _ in range(LAST - FIRST + 1)]
    assert sorted(taken) == list(range(FIRST, LAST + 1))
    assert [ports.take(0) for _ in range(3)] == taken[:3]


def test_the_order_is_of_chance_and_each_phone_has_its_own() -> None:
    ports, other = LocalPorts(), LocalPorts()
    first, second = [ports.take(0) for _ in range(20)], [ports.take(1) for _ in range(20)]
    assert first != sorted(first)
    assert len({tuple(first), tuple(second), tuple(other.take(0) for _ in range(20))}) == 3
