"""Flows as relaying sees them: directions from the device, ways in, and who is nobody."""

from __future__ import annotations

from detector.analytics.relay_flows import ACCEPTED, RelayFlows
from detector.columns import NULL


def read(made, allowed=()):
    return RelayFlows.read(made.telemetry()["flows"], frozenset(allowed))


def test_bytes_are_seen_from_the_device(made):
    made.flow(0, up=100, down=2000)
    made.flow(5, up=30, down=400, inbound=True, client="10.88.0.9", server="10.88.0.2")
    flows = read(made)
    assert (flows.into.tolist(), flows.out.tolist()) == ([2000, 30], [100, 400])
    assert flows.nearby.tolist() == [False, True]


def test_accepted_sessions_are_one_way_and_every_dialled_domain_is_another(made):
    made.flow(0, name="a.one.example")
    made.flow(1, name="b.one.example")
    made.flow(2, server="198.18.0.7")
    made.flow(3, inbound=True)
    made.flow(4, inbound=True, client="198.18.7.7")
    flows = read(made)
    assert flows.way[0] == flows.way[1] != flows.way[2]
    assert flows.way[3:].tolist() == [ACCEPTED, ACCEPTED]
    assert [flows.name_of(int(way)) for way in flows.way[1:4]] == ["one.example", "198.18.0.7", "accepted sessions"]
    assert flows.counted.tolist() == [True, True, True, False, False]


def test_nobody_is_reached_by_loopback_or_groups_and_allowed_ones_do_not_count(made):
    made.flow(0, server="127.0.0.1")
    made.flow(1, server="239.1.2.3")
    made.flow(2, name="www.fine.example")
    flows = read(made, ["fine.example"])
    assert (flows.way == NULL).tolist() == [True, True, False]
    assert not flows.counted.any()


def test_apps_are_told_apart_by_device_uid_and_package(made):
    for who in ({"uid": 1}, {"uid": 2}, {"uid": 1, "device": "phone-02"}, {"uid": 1}, {"package": "com.example.torch"}):
        made.flow(0, **who)
    flows = read(made)
    assert flows.app.tolist() == [0, 1, 2, 0, 3]
    assert flows.who(2) == ("phone-02", 1, None)
    assert flows.who(3) == ("phone-01", None, "com.example.torch")
