"""The first error stays, and only what has happened is reported."""

from __future__ import annotations

from lab.stages.live.servers.image.ledger import Ledger


def test_report():
    ledger = Ledger()
    ledger.entry(4).received += 10
    ledger.entry(4).fault("first")
    ledger.entry(4).fault("second")
    ledger.strays["unclaimed"] += 1
    assert ledger.report() == {
        "conversations": {"4": {"received": 10, "sent": 0, "error": "first"}},
        "strays": {"unclaimed": 1},
    }


def test_connected_asks_without_making_an_entry():
    ledger = Ledger()
    assert not ledger.connected(1)
    assert ledger.report()["conversations"] == {}
    ledger.entry(1).connected = True
    assert ledger.connected(1)
