"""Client ports: each phone's own order, whatever block it is compiled in."""

import numpy as np

from lab.world.ports import RESERVED, client_ports


def test_a_phone_has_the_same_ports_alone_and_among_others():
    among = client_ports((1, "x"), np.array([0, 1, 2, 1, 2, 1]))
    alone = client_ports((1, "x"), np.array([0, 0, 0]), first=1)
    assert among[[1, 3, 5]].tolist() == alone.tolist()


def test_no_port_is_used_twice_before_all_were_used_and_reserved_ones_never():
    ports = client_ports((1, "x"), np.zeros(20_000, dtype=np.int64))
    assert len(set(ports.tolist())) == 20_000
    assert not set(RESERVED) & set(ports.tolist())
