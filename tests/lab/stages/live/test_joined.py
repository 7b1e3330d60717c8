"""A conversation counts as there only where it was seen, under its own uid; what is not there is listed."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from lab.stages.live.joined import NAMED, join
from lab.stages.live.script import Played

UID = 10_123
SCRIPTS = [
    SimpleNamespace(n=n, protocol="http", transport="tcp", uid=UID, server=("198.18.7.9", 443)) for n in range(8)
]
PLAYED = [Played(n, ("10.88.3.4", 40_000 + n), ("198.18.7.9", 443), 0, 1, 2, 3) for n in range(8)]
ROWS = [{"event": "accept" if n % 2 else "connect", "uid": UID} for n in range(8)]
CLOSES = [{"event": "close", "uid": UID} for n in range(8)]
ALL = np.arange(8)


def joined(opened=ALL >= 0, rows=ROWS, of=ALL, asked=ALL, expected=(1, 2), played=PLAYED):
    return join(SCRIPTS, played, opened, (rows, of), (asked, expected))


def test_a_whole_run_has_no_fault():
    found = joined()
    assert (found.conversations, found.capture, found.sockets, found.requests, found.expected) == (8, 8, 8, 2, 2)
    assert found.faults() == []
    assert found.to_json()["missing"] == found.to_json()["failed"] == []


@pytest.mark.parametrize(
    ("change", "counts", "words"),
    [
        ({"opened": ALL != 3}, (7, 8, 2), "1 conversations not found in capture: 3"),
        ({"of": np.where(ALL == 3, -1, ALL)}, (8, 7, 2), "1 conversations not found in sockets: 3"),
        ({"rows": [{**row, "uid": UID + 1} for row in ROWS]}, (8, 0, 2), "8 conversations not found in sockets: 0, 1"),
        ({"rows": [{**row, "uid": None} for row in ROWS]}, (8, 0, 2), "8 conversations not found in sockets"),
        ({"rows": [{**row, "event": "close"} for row in ROWS]}, (8, 0, 2), "8 conversations not found in sockets"),
        ({"asked": ALL[2:]}, (8, 8, 1), "1 conversations not found in http: 1"),
        ({"asked": ALL[:0] - 1}, (8, 8, 0), "2 conversations not found in http: 1, 2"),
        ({"played": PLAYED[1:]}, (8, 8, 2), "1 conversations failed, first 0: never played"),
    ],
)
def test_what_is_not_found_is_counted_and_named(change, counts, words):
    found = joined(**change)
    assert (found.capture, found.sockets, found.requests) == counts
    assert words in "; ".join(found.faults())


def test_sockets_that_are_not_seen_to_close_are_counted_and_told_apart():
    whole = joined(rows=ROWS + CLOSES, of=np.concatenate([ALL, ALL]))
    assert (whole.closes, whole.left_open()) == (8, [])
    found = joined(rows=ROWS + CLOSES[2:], of=np.concatenate([ALL, ALL[2:]]))
    assert (found.closes, found.unclosed, found.faults()) == (6, (0, 1), [])
    assert found.left_open() == ["2 conversations not seen to close in sockets: 0, 1"]
    assert found.to_json()["unclosed"] == [0, 1]
    datagrams = [SimpleNamespace(**{**vars(one), "transport": "udp"}) for one in SCRIPTS]
    silent = join(datagrams, PLAYED, ALL >= 0, (ROWS, ALL), (ALL, ()))
    assert (silent.closes, silent.left_open()) == (0, [])


def test_a_sentence_names_a_few_and_the_list_all():
    found = joined(opened=ALL < 0)
    assert found.faults() == ["8 conversations not found in capture: 0, 1, 2, 3, 4, ..."]
    assert NAMED < len(found.missing) == 8
    assert found.missing[0] == {
        "n": 0,
        "protocol": "http",
        "client": "10.88.3.4:40000",
        "server": "198.18.7.9:443",
        "not_in": ["capture"],
    }
    assert joined(played=[], opened=ALL < 0).missing[0]["client"] is None
