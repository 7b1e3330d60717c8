"""What strangers say of their conversations becomes outcomes; those they say nothing of never came."""

from __future__ import annotations

import pytest

from lab.stages.live.strangers import strangers_played

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
