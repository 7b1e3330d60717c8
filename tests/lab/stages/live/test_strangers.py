"""What strangers say of their conversations becomes outcomes; those they say nothing of never came."""

from __future__ import annotations

import pytest

from lab.stages.live.script import Played
from lab.stages.live.strangers import relayed_played, strangers_played

EPOCH = 1_800_000_000_000_000


@pytest.fixture
def incoming(paced):
    """(inbound scripts and one that is not, courses)."""
    _, scripts, _, courses = paced("live-socks5")
    inbound = [s for s in scripts if s.inbound][:3]
    return [*inbound, next(s for s in scripts if not s.inbound)], courses


def told(n: int, **row) -> dict:
    return {
        "conversations": {str(n): {"sent": 3, "received": 4, "error": None, **row}},
        "dialled": {str(n): ["1.2.3.4", 5]},
    }


def test_only_strangers_conversations_have_an_outcome_here(incoming) -> None:
    scripts, courses = incoming
    found = strangers_played(scripts, courses, EPOCH, {"conversations": {}, "dialled": {}}, {})
    assert list(found) == [s.n for s in scripts[:3]]
    assert {one.error for one in found.values()} == {"the stranger never connected"}
    assert {one.client for one in found.values()} == {None}


def test_who_came_is_known_by_where_from_and_how_much(incoming) -> None:
    scripts, courses = incoming
    n = scripts[0].n
    one = strangers_played(scripts[:1], courses, EPOCH, told(n), {})[n]
    assert (one.client, one.server, one.sent, one.received, one.error) == (
        ("1.2.3.4", 5),
        scripts[0].server,
        3,
        4,
        None,
    )
    assert one.opened_us == EPOCH + courses[n].open_real
    assert one.closed_us == EPOCH + courses[n].close_real


def test_the_stranger_s_own_error_comes_before_the_listener_s(incoming) -> None:
    scripts, courses = incoming
    n = scripts[0].n
    missed = {n: "no stranger came"}
    assert strangers_played(scripts[:1], courses, EPOCH, told(n, error="refused"), missed)[n].error == "refused"
    assert strangers_played(scripts[:1], courses, EPOCH, told(n), missed)[n].error == "no stranger came"


def test_an_answer_without_its_parts_is_refused(incoming) -> None:
    with pytest.raises(KeyError):
        strangers_played(*incoming, EPOCH, {"dialled": {}}, {})


def test_what_a_proxy_dialled_has_the_bytes_of_the_stranger_behind_it(script_of_scenario) -> None:
    relayed = [script for script in script_of_scenario("live-socks5")[1] if script.via is not None][:3]
    dialled = {s.n: Played(s.n, ("10.88.0.9", 7), s.server, 1, 2, 0, 0) for s in relayed[:2]}
    rows = {str(s.n): {"sent": 5, "received": 6, "error": None} for s in relayed}
    rows[str(relayed[1].n)]["error"] = "hung up"
    found = relayed_played(relayed, dialled, {"conversations": rows})
    assert {n: (one.client[1], one.sent, one.received, one.error) for n, one in found.items()} == {
        relayed[0].n: (7, 5, 6, None),
        relayed[1].n: (7, 5, 6, "hung up"),
    }
    assert relayed_played(relayed, dialled, {"conversations": {}}) == {}
