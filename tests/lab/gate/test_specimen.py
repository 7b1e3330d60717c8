"""The made-up run is whole: everything in it is detected, and it is evidence."""

from lab.gate.faults import faults
from lab.gate.specimen import SCENARIOS


def test_everything_is_detected_at_no_cost(gates):
    card = gates.card(gates.trials())
    assert faults(card) == []
    assert [row["verdict"] for row in card["incidents"]] == ["detected"] * 2 * SCENARIOS
    assert card["false_alarms"] == []
    assert all(row["contacts_to_detect"] for row in card["incidents"])
    assert gates.card(gates.trials()) == card
