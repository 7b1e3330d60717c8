"""Hosts as a block meets them: numbered once, in the order of the cast within a meeting."""

import numpy as np

from lab.world.cast import Cast
from lab.world.met import Met


def test_hosts_keep_the_number_of_their_first_meeting():
    cast = Cast((1, "x"))
    rows = np.array([cast.host("vendor", package, "kind", 0, 0) for package in ("a", "b", "c")])
    met = Met(cast)
    assert met.places(rows[[2, 1]]).tolist() == [1, 0]
    assert met.places(np.array([rows[0], -1, rows[2]])).tolist() == [2, -1, 1]
    assert met.hosts == [cast.hosts[1], cast.hosts[2], cast.hosts[0]]
    assert met.ttls_s == [cast.ttls_s[1], cast.ttls_s[2], cast.ttls_s[0]]


def test_a_cast_of_its_own_is_met_as_it_is():
    cast = Cast((1, "x"))
    rows = np.array([cast.host("tail", rank) for rank in (700, 900, 800)])
    assert Met(cast).places(rows).tolist() == rows.tolist()
