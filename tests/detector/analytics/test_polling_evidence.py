"""Facts around a destination: neighbours, naming, and what this sensor cannot tell."""

from __future__ import annotations

import numpy as np

from detector.analytics.polling_evidence import others, peer_of, survey
from detector.contacts import Merging, flow_contacts, outbound_rows


def surveyed(made):
    telemetry = made.telemetry()
    known = survey(telemetry)
    rows = outbound_rows(known.flows, known.lookups, frozenset())
    return known, list(flow_contacts(known.flows, rows, None, Merging((2.0,), 6)))


def test_neighbours_are_other_devices_and_other_apps(made):
    made.polls(60.0 * np.arange(9), name="a.site.example", package="one")
    made.flow(5, name="b.site.example", package="two", device="phone-02")
    made.flow(6, name="c.site.example", package="one", device="phone-03")
    made.flow(6, name="c.else.example", package="one", device="phone-04")
    known, (contacts,) = surveyed(made)
    assert others(contacts, known) == (2, 3, 1)


def test_a_lone_device_and_app_have_no_neighbours_to_ask(made):
    made.polls(60.0 * np.arange(9), name="a.site.example", package="one")
    known, (contacts,) = surveyed(made)
    assert others(contacts, known) == (0, 0, None)


def test_a_peer_has_one_name_or_its_domain_and_all_addresses(made):
    made.polls(60.0 * np.arange(9), name="a.site.example", app_proto="tls")
    known, (contacts,) = surveyed(made)
    assert peer_of(contacts, known).name == "a.site.example"
    made.flow(900, name="b.site.example", server="198.18.0.10", app_proto="http")
    known, (contacts,) = surveyed(made)
    peer = peer_of(contacts, known)
    assert (peer.name, peer.addresses, peer.protocols) == (
        "site.example",
        ("198.18.0.9", "198.18.0.10"),
        ("http", "tls"),
    )


def test_a_sensor_without_sni_cannot_miss_it(made):
    made.polls(60.0 * np.arange(9), app_proto="tls")
    known, (contacts,) = surveyed(made)
    assert peer_of(contacts, known).naming.no_sni is None
    made.flow(1, app_proto="tls", sni="x.example", name="x.example", server="198.18.0.1")
    known, (contacts,) = surveyed(made)
    assert peer_of(contacts, known).naming.no_sni is True
    assert peer_of(contacts, known).naming.never_resolved is None, "no look-ups were recorded"


def test_neighbours_on_the_local_network_need_no_look_up(made):
    made.lookup(1, "x.example", answers=("198.18.0.1",))
    made.polls(60.0 * np.arange(9), server="192.168.1.4")
    known, (contacts,) = surveyed(made)
    assert peer_of(contacts, known).naming.never_resolved is False
