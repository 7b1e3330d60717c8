"""Whom flows are judged by: a name counts where an answer bears it out, or where nobody could."""

from __future__ import annotations

import numpy as np
import pytest

from detector.analytics.command_polling import measured
from detector.baseline import Asked, learn
from detector.columns import Codes
from detector.thresholds import load_thresholds

LIMITS = load_thresholds().polling
POPULAR = {"app_proto": "tls", "sni": "api.popular.example", "name": "api.popular.example"}
EVIL, FRONT = "198.18.7.7", "198.18.0.9"


@pytest.fixture
def fleet(made):
    """Twelve phones look the popular service up and speak to it; the address of the controller nobody looks up."""
    for k in range(12):
        who = {"device": f"phone-{k + 1:02}", "client": f"10.88.0.{k + 2}", "package": "com.example.notes"}
        made.lookup(5, "api.popular.example", answers=(FRONT,), **who)
        made.polls([6.0, 4000.0], **POPULAR, server=FRONT, **who)
    return made


def groups(made, package="com.example.torch"):
    """The columns of the app's groups, by destination."""
    found = measured(made.telemetry(), LIMITS)
    mine = [k for k in range(len(found)) if found.package.text(k) == package]
    return {found.destination.text(k): {name: float(part[k]) for name, part in found.columns.items()} for k in mine}


def test_a_popular_name_presented_to_an_address_nobody_resolved_vouches_for_nothing(fleet):
    fleet.polls(60.0 * np.arange(9), **POPULAR, server=EVIL, package="com.example.torch")
    ((whom, found),) = groups(fleet).items()
    assert whom == EVIL
    assert found["fleet_share"] == 0
    assert found["never_resolved"] == 1
    assert found["no_sni"] == 0, "it did present a name"


def test_the_same_at_the_address_that_was_answered_is_the_popular_service(fleet):
    fleet.polls(60.0 * np.arange(9), **POPULAR, server=FRONT, package="com.example.torch")
    ((whom, found),) = groups(fleet).items()
    assert whom == "popular.example"
    assert found["fleet_share"] == 1
    assert found["never_resolved"] == found["other_name"] == 0


def test_one_true_contact_covers_no_false_ones(fleet):
    app = {"package": "com.example.torch"}
    fleet.lookup(1, "hidden.bad.example", answers=(EVIL,), **app)
    fleet.polls(600.0 * np.arange(9) + 30, **POPULAR, server=FRONT, **app)
    fleet.polls(60.0 * np.arange(9), **POPULAR, server=EVIL, **app)
    found = groups(fleet)
    assert set(found) == {"popular.example", "bad.example"}
    assert found["bad.example"]["other_name"] == 1
    assert found["popular.example"]["other_name"] == 0


def test_a_device_whose_look_ups_are_hidden_is_believed(fleet):
    app = {"package": "com.example.torch", "device": "phone-99", "client": "10.88.0.99"}
    fleet.polls(60.0 * np.arange(9), **POPULAR, server=EVIL, **app)
    assert set(groups(fleet)) == {"popular.example"}
    fleet.lookup(1, "anything.example", answers=("198.18.3.3",), **app)
    assert set(groups(fleet)) == {EVIL}, "control: one answer to it shows that its look-ups are seen"


def test_an_address_of_the_local_network_needs_no_answer(fleet):
    fleet.polls(60.0 * np.arange(9), **POPULAR, server="192.168.1.9", package="com.example.torch")
    assert set(groups(fleet)) == {"popular.example"}


def test_a_baseline_knows_by_its_address_what_no_answer_bore_out(fleet):
    fleet.polls(60.0 * np.arange(9), **POPULAR, server=EVIL, package="com.example.torch")
    one = np.zeros(2, np.int64)
    asked = Asked(
        Codes(one, ["phone-01"]),
        Codes(one, ["com.example.torch"]),
        Codes(one - 1, []),
        Codes(np.arange(2), [EVIL, "x"]),
    )
    assert learn(fleet.telemetry()).deviation(asked).own_days.tolist() == [1, 0]
