"""Who was seen where: names before addresses, look-ups only where they are all there is."""

import itertools

import numpy as np
import pytest

from detector.contract import Telemetry, Unsupported, view
from detector.sightings import Sightings, able
from detector.signature import Signature


def peers(telemetry):
    seen = Sightings.read(telemetry)
    return [seen.peer.text(row) for row in range(len(seen.start))]


def test_a_destination_is_a_registrable_domain_or_an_address(made):
    made.flow(0, name="a.vendor.example")
    made.flow(1, name=None)
    made.flow(2, inbound=True, client="198.18.9.9")
    assert peers(made.telemetry()) == ["vendor.example", "198.18.0.9", "198.18.9.9"]


def test_a_lookup_counts_where_nobody_goes_to_what_was_asked(made):
    made.lookup(0, "a.vendor.example")
    made.flow(1, name="b.vendor.example")
    made.lookup(2, "x1.tunnel.example", qtype="TXT")
    made.lookup(3, "x2.tunnel.example", qtype="TXT")
    assert peers(made.telemetry()) == ["vendor.example", "tunnel.example", "tunnel.example"]
    seen = Sightings.read(made.telemetry())
    assert seen.start.tolist() == [1_000_000, 2_000_000, 3_000_000]


def test_lookups_alone_suffice_and_nothing_does_not(made):
    made.lookup(0, "a.vendor.example")
    narrow = view("dns-only")(made.telemetry())
    assert peers(narrow) == ["vendor.example"]
    assert able(narrow, ("AN1793",)) == ("AN1793",)
    empty = Telemetry({}, span=(0, 1))
    assert able(empty, ("AN1793",)) == ()
    with pytest.raises(Unsupported, match="needs flows or dns"):
        Sightings.read(empty)


def test_groups_are_sorted_and_their_edges_fit(made):
    for time, name in ((5, "b.example"), (1, "a.example"), (3, "b.example")):
        made.flow(time, name=name, uid=10_001)
    seen, group, edges = Sightings.read(made.telemetry()).by_peer()
    by_name = {seen.peer.text(int(a)): (seen.start[a:b] // 1_000_000).tolist() for a, b in itertools.pairwise(edges)}
    assert by_name == {"a.example": [1], "b.example": [3, 5]}
    assert np.bincount(group).tolist() == np.diff(edges).tolist()
    app, first = seen.by_app()
    assert (app.tolist(), first.tolist()) == ([0, 0, 0], [0])


def test_a_finding_alerts_from_one_half_on(made):
    made.flow(0, name="a.example", uid=10_001)
    seen = Sightings.read(made.telemetry())
    who = Signature("x", "1", partial=True)
    told = [
        seen.finding(0, (0, 9), (analytic, score, 5), None, who)
        for analytic, score in (("AN1793", 0.5), ("AN1702", 0.49))
    ]
    assert [(one.alert, one.peer, one.decided_at, one.partial) for one in told] == [
        (True, "a.example", 5, True),
        (False, None, 5, True),
    ]
