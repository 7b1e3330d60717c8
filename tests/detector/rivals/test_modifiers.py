"""RITA's modifiers: each raised by its cause, lowered by its contrary, unknown where the sensor cannot tell."""

import numpy as np
import pytest

from detector.contract import view
from detector.rivals.modifiers import DAY_US, MOST, modifiers
from detector.rivals.pairs import by_name, host_pairs
from detector.rivals.verdicts import closing

DAY = 86_400


def weighed(made, sensor="full"):
    """What is added, by (device, peer, day)."""
    telemetry = view(sensor)(made.telemetry())
    pairs = host_pairs(telemetry, by_name)
    days = pairs.windows(0, DAY_US)
    end = closing(days.number, 0, DAY_US, telemetry.span)
    found = modifiers(pairs, days, telemetry["flows"], 0, end)
    keys = [
        (pairs.who.device.text(o), pairs.who.peer.text(o), int(n)) for o, n in zip(days.owner, days.number, strict=True)
    ]
    return {key: {name: float(column[k]) for name, column in vars(found).items()} for k, key in enumerate(keys)}, found


def test_prevalence_is_a_share_of_the_devices_of_that_day(made):
    for number in range(100):
        made.flow(number, device=f"p{number:02}", sni="common.example")
    made.flow(200, device="p00", sni="rare.example")
    for number in range(10):
        made.flow(300, device=f"p{number:02}", sni="some.example")
    found, _ = weighed(made)
    steps = [found["p00", name, 0]["prevalence"] for name in ("common.example", "some.example", "rare.example")]
    assert steps == [-0.15, 0, 0.15]


def test_age_is_unknown_of_what_was_there_from_the_beginning(made):
    made.span_s = 40 * DAY
    for day in (0, 3, 33):
        made.flow(day * DAY, sni="old.example")
    made.flow(33 * DAY, sni="new.example")
    made.flow(10 * DAY, sni="week.example")
    made.flow(20 * DAY, sni="week.example")
    found, total = weighed(made)
    steps = [found["phone-01", "old.example", day]["first_seen"] for day in (0, 3, 33)]
    assert np.isnan(steps[:2]).all()
    assert steps[2] == -0.15
    assert found["phone-01", "new.example", 33]["first_seen"] == 0.15
    assert [found["phone-01", "week.example", day]["first_seen"] for day in (10, 20)] == [0.15, 0]
    assert np.isfinite(total.total).all(), "what is unknown adds nothing"


def test_http_without_a_host_adds_a_tenth(made):
    made.flow(0, server="198.18.0.1", app_proto="http", host=None)
    made.flow(1, server="198.18.0.2", app_proto="http", host="named.example")
    made.flow(2, server="198.18.0.3", app_proto="tls")
    found, _ = weighed(made)
    steps = [found["phone-01", peer, 0]["missing_host"] for peer in ("198.18.0.1", "named.example", "198.18.0.3")]
    assert steps == [0.10, 0, 0]


def test_a_signature_shown_to_nobody_else_is_rare(made):
    for peer in ("a.example", "b.example"):
        made.flow(0, sni=peer, ja4="t13-shared")
    made.flow(1, sni="c.example", ja4="t13-own")
    made.flow(2, sni="c.example", ja4="t13-shared")
    found, _ = weighed(made)
    steps = [found["phone-01", f"{name}.example", 0]["rare_signature"] for name in "abc"]
    assert steps == [0, 0, 0.15]


def test_what_a_router_cannot_see_is_unknown_and_not_zero(made):
    made.flow(0, sni="a.example", ja4="t13-own", app_proto="http")
    found, _ = weighed(made, "netflow")
    (one,) = found.values()
    assert np.isnan([one["missing_host"], one["rare_signature"]]).all()


def test_all_of_them_together_are_the_most_there_is(made):
    made.span_s = 2 * DAY
    for number in range(100):
        made.flow(DAY + number, device=f"p{number:02}", sni="common.example", ja4="t13")
    made.flow(DAY + 5, device="p00", server="198.18.0.1", app_proto="http", user_agent="own/1")
    found, total = weighed(made)
    assert sum(found["p00", "198.18.0.1", 1].values()) == pytest.approx(MOST)
    assert total.total.max() == pytest.approx(MOST)
