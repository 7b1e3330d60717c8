"""Parts put together: nothing counts twice, and their order does not matter."""

from __future__ import annotations

import numpy as np
import pytest

from detector.learned.combined import combined
from detector.learned.gathering import gathered

DAY_S = 86_400


@pytest.fixture
def part_of(made):
    """``part_of(rows, span_s, **apps)``: the part of flows (start_s, package, name) and inventory categories."""

    def build(rows, span_s=DAY_S, **apps):
        one = type(made)()
        one.span_s = span_s
        for start_s, package, name in rows:
            one.flow(start_s, package=package, name=name, app_proto="tls")
        for uid, (package, category) in enumerate(apps.items()):
            one.app(uid, package, category)
        return gathered(one.telemetry())

    return build


def test_a_day_that_two_recordings_saw_counts_once(part_of):
    morning = part_of([(3600 * k, "app", "a.example") for k in range(12)])
    evening = part_of([(3600 * k, "app", "a.example") for k in range(12, 24)])
    assert combined([morning, evening]).pairs.days.tolist() == [1]
    assert combined([morning, evening]).device_days == 1


def test_rates_are_contacts_over_the_days_recorded(part_of):
    busy = part_of([(600 * k, "app", "a.example") for k in range(48)], DAY_S / 2)
    quiet = part_of([(DAY_S, "app", "b.example")], DAY_S * 3 / 2)
    together = combined([busy, quiet])
    assert dict(zip(together.destinations, together.per_day.tolist(), strict=True)) == {
        "a.example": 24,
        "b.example": 0.5,
    }
    assert together.first.tolist() == [0, DAY_S * 1_000_000]


def test_a_recording_of_no_length_has_no_rate(part_of):
    assert np.isnan(combined([part_of([(0, "app", "a.example")], 0)]).per_day).all()


def test_categories_are_those_that_most_recordings_say(part_of):
    parts = [part_of([(k, "app", "a.example")], app=said) for k, said in enumerate(("tools", "games", "tools"))]
    found = combined(parts)
    assert [found.categories[k] for k in found.category] == ["tools"]


def test_codes_are_moved_to_the_texts_of_the_whole(part_of):
    one, other = part_of([(0, "m", "m.example")]), part_of([(0, "a", "a.example"), (9, None, "z.example")])
    found = combined([one, other])
    named = [
        (found.packages[p] if p >= 0 else None, found.destinations[t])
        for p, t in zip(found.pairs.package, found.pairs.destination, strict=True)
    ]
    assert named == [(None, "z.example"), ("a", "a.example"), ("m", "m.example")]
    assert found.habits.flows.sum() == 3 * 5


def test_the_order_of_parts_does_not_matter(part_of):
    parts = [part_of([(k, f"app{k}", f"d{k % 2}.example")], **{f"app{k}": "tools"}) for k in range(4)]
    one, other = combined(parts), combined(parts[::-1])
    for name in ("device", "package", "category", "destination", "days"):
        assert (getattr(one.pairs, name) == getattr(other.pairs, name)).all()
    for name in vars(one.habits):
        assert (getattr(one.habits, name) == getattr(other.habits, name)).all()


def test_nothing_together_is_nothing(part_of):
    found = combined([part_of([])])
    assert (found.devices, found.device_days, len(found.habits.flows)) == ((), 0, 0)
