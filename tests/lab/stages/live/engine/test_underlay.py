from ipaddress import IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.errors import PrerequisiteError
from lab.stages.live.engine import underlay
from lab.stages.live.engine.underlay import POOL, free_subnets, machine_routes, routed

TABLE = """Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
eth0	00000000	010200C0	0003	0	0	0	00000000	0	0	0
br-1	00014D0A	00000000	0001	0	0	0	00FFFFFF	0	0	0
docker0	000011AC	00000000	0001	0	0	0	0000FFFF	0	0	0
"""


def test_a_routing_table_is_read():
    assert list(map(str, routed(TABLE))) == ["0.0.0.0/0", "10.77.1.0/24", "172.17.0.0/16"]


def test_a_network_is_free_if_nothing_routes_there_but_the_default():
    assert str(free_subnets(routed(TABLE))[0]) == "10.77.2.0/24"
    assert str(free_subnets([])[0]) == "10.77.1.0/24"
    assert free_subnets([IPv4Network("10.0.0.0/8")]) == []


@given(st.lists(st.tuples(st.integers(0, 2**16 - 1), st.integers(18, 32)), max_size=20))
def test_no_free_network_overlaps_what_is_taken(some):
    taken = [IPv4Network((int(POOL[low]), length), strict=False) for low, length in some]
    free = free_subnets(taken)
    assert all(net.subnet_of(POOL) and not any(net.overlaps(other) for other in taken) for net in free)
    assert len(free) >= 255 - sum(2 ** max(0, 24 - net.prefixlen) for net in taken)


def test_this_machines_routes_are_read():
    assert all(isinstance(net, IPv4Network) for net in machine_routes())


def test_a_machine_without_the_table_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(underlay, "_ROUTES", tmp_path / "none")
    with pytest.raises(PrerequisiteError, match="needs Linux"):
        machine_routes()
