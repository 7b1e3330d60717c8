"""Verdicts about two hosts: the busiest app between them, or nobody."""

from __future__ import annotations

from detector.elsewhere.pairs import Pairs, Verdict
from detector.named_alerts import rows_of

US = 1_000_000
SAID = Verdict("10.88.0.2", "a.example", None, 0.9, "high", alert=True, rule="Beacon Score", text="RITA")


def test_the_busiest_app_is_meant(made):
    made.polls([10, 20, 30], name="a.example", uid=1)
    made.polls([5, 15], name="a.example", uid=2, client_port=41_000)
    made.flow(1, name="b.example", uid=3)
    telemetry = made.telemetry()
    pairs = Pairs(telemetry)
    for peer in ("a.example", "A.EXAMPLE."):
        hit = pairs.hit(Verdict(**{**vars(SAID), "peer": peer}), "AN1793")
        assert (hit.began, hit.time, hit.last) == (10 * US, telemetry.span[1], int(30.4 * US))
        assert telemetry["flows"]["uid"][int(rows_of(telemetry["flows"], [hit])[0])].as_py() == 1
    by_address = pairs.hit(Verdict(**{**vars(SAID), "peer": "198.18.0.9"}), "AN1793")
    assert by_address.began == 10 * US
    assert pairs.knows("10.88.0.2")
    assert not pairs.knows("10.88.0.3")


def test_whoever_was_called_is_the_host_too(made):
    made.flow(10, inbound=True, client="198.18.0.1", server="10.88.0.2", server_port=1080, uid=7, name="x.example")
    hit = Pairs(made.telemetry()).hit(Verdict(**{**vars(SAID), "peer": "198.18.0.1"}), "AN1702")
    assert (hit.server, hit.server_port) == ("10.88.0.2", 1080)


def test_a_pair_that_never_spoke_stays_as_it_was_said(made):
    made.flow(10)
    hit = Pairs(made.telemetry()).hit(SAID, "AN1793")
    assert (hit.client, hit.server, hit.client_port, hit.began) == ("10.88.0.2", "a.example", 0, None)
    empty = Pairs(made.telemetry()).hit(Verdict(**{**vars(SAID), "peer": "", "time": 7}), "AN1793")
    assert (empty.server, empty.time) == ("", 7)
