"""The servers' report: what a conversation lacks is its failure, what they only noted is told, an unwell daemon too."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest

from lab.stages.live.reports import ServersTold, servers_told
from lab.stages.live.script import Played

UP, DOWN = 30, 100
ERROR = "closed at turn 4 of 4: by the client"


def script(protocol="opaque", *, n=3, inbound=False):
    return SimpleNamespace(
        n=n, protocol=protocol, inbound=inbound, from_client=np.array([True, False]), size=np.array([UP, DOWN])
    )


def outcome(sent=UP, received=DOWN, error=None) -> dict[int, Played]:
    return {3: Played(3, ("10.88.3.4", 9), ("198.18.7.9", 443), 0, 1, sent, received, error)}


def report(received=0, sent=0, error=ERROR, **others):
    row = {"received": received, "sent": sent, "error": error}
    return {"conversations": {"3": row}, "strays": {}, "daemons": {}, **others}


@pytest.mark.parametrize(
    ("played", "told"),
    [
        (outcome(), report()),  # the client has everything
        (outcome(received=DOWN + 9), report()),  # and more than that, as proxies word heads anew
        (outcome(0, 0), report(UP, DOWN)),  # what proxies dial: nobody counts on this side
        (outcome(error="reset"), report()),  # it has an error of its own
        ({}, report()),  # it was never begun
    ],
)
def test_what_is_noted_of_a_conversation_that_lacks_nothing_is_told_only(played, told):
    found = servers_told([script()], played, told)
    assert (found.errors, found.notes) == ({}, {3: f"servers: {ERROR}"})


@pytest.mark.parametrize("played", [outcome(sent=UP - 1), outcome(received=DOWN - 1), outcome(0, 0)])
@pytest.mark.parametrize("row", [(0, 0), (UP, DOWN - 1), (UP - 1, DOWN)])
def test_what_lacks_something_has_failed(played, row):
    found = servers_told([script()], played, report(*row))
    assert (found.errors, found.notes) == ({3: f"servers: {ERROR}"}, {})


def test_where_servers_word_their_replies_bytes_are_not_counted():
    assert servers_told([script("smtp")], outcome(received=1), report()).errors == {}
    assert servers_told([script("smtp")], outcome(sent=1), report()).errors != {}


def test_a_conversation_without_a_note_is_not_told_of():
    assert servers_told([script()], outcome(), report(error=None)) == ServersTold()


@pytest.mark.parametrize(
    ("protocol", "strays", "fails"),
    [
        ("http", {"unclaimed": 1}, True),
        ("websocket", {"unclaimed": 1}, True),
        ("http", {"tls": 1}, False),
        ("opaque", {"unclaimed": 1}, False),  # those are reset, which their clients notice
    ],
)
def test_a_web_server_that_answered_nobody_it_knows_fails_those_it_never_had(protocol, strays, fails):
    told = report(strays=strays, conversations={})
    found = servers_told([script(protocol)], outcome(), told)
    assert [("never had it" in error) for error in found.errors.values()] == [True] * fails
    assert servers_told([script(protocol)], outcome(), {**report(error=None), "strays": strays}).errors == {}
    assert servers_told([script(protocol, inbound=True)], outcome(), told).errors == {}
    assert servers_told([script(protocol)], outcome(error="reset"), told).errors == {}
    assert servers_told([script(protocol)], {}, told).errors == {}


def test_a_daemon_that_is_unwell_is_a_fault_and_all_is_in_run_json():
    told = report(daemons={"mqtt": True, "stun": False}, strays={"tls": 2})
    found = servers_told([script()], outcome(), told)
    assert found.faults == ("servers: stun does not answer",)
    assert json.loads(json.dumps(found.to_json())) == {
        "strays": {"tls": 2},
        "daemons": {"mqtt": True, "stun": False},
        "notes": {"3": f"servers: {ERROR}"},
    }


def test_an_answer_that_lacks_a_part_is_refused():
    with pytest.raises(KeyError):
        servers_told([script()], outcome(), {"conversations": {}})
