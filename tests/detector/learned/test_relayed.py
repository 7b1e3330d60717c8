"""Who relayed in the learning period: every app at its clearest, and the word of the other devices."""

from __future__ import annotations

import numpy as np
import pytest

from detector.baseline import Baseline, learn, merged, survey
from detector.columns import NULL, Codes
from detector.learned.relayed import Relayed, Relaying, clearest, nobody, relayed_of

MANY = (5, 3)
NAN = float("nan")


def column(*values):
    return np.array(values, np.int64)


def habits(relayed, device, package):
    """Five devices with app 0, two with app 1."""
    there = column(0, 1, 2, 3, 4, 0, 1), column(0, 0, 0, 0, 0, 1, 1)
    found = Relaying(*there, relayed, MANY).habit(column(device), column(package))
    return float(found.own[0]), float(found.others[0]), float(found.known[0])


def asked(*texts):
    kinds = sorted({text for text in texts if text is not None})
    return Codes(np.array([NULL if text is None else kinds.index(text) for text in texts], np.int64), kinds)


@pytest.mark.parametrize(
    ("device", "package", "own", "others"),
    [
        (0, 0, 0.9, 0),
        (1, 0, 0, 0),
        (0, 1, 0, 0.4),
        (1, 1, 0.4, 0),
        (4, 1, NAN, 0),
        (0, 2, NAN, NAN),
        (-2, -2, NAN, NAN),
    ],
)
def test_ones_own_word_is_left_out_of_the_others(device, package, own, others):
    relayed = Relayed(column(0, 1), column(0, 1), column(900, 400))
    found = habits(relayed, device, package)
    assert found[:2] == pytest.approx((own, others), nan_ok=True)
    assert found[2] == pytest.approx(np.fmax(own, others), nan_ok=True)


def test_one_relay_among_many_vouches_for_nobody_and_most_of_them_do():
    assert habits(Relayed(column(0), column(0), column(900)), 4, 0)[1] == 0
    most = Relayed(column(0, 1, 2), column(0, 0, 0), column(900, 800, 700))
    assert habits(most, 4, 0) == (0, pytest.approx(0.7), pytest.approx(0.7))
    assert habits(most, 0, 0)[1] == 0, "without its own word only two of four did"


def test_every_app_is_kept_once_at_its_clearest():
    found = clearest(Relayed(column(1, 0, 1), column(2, NULL, 2), column(3, 5, 9)))
    assert [part.tolist() for part in vars(found).values()] == [[0, 1], [NULL, 2], [5, 9]]
    assert len(clearest(nobody()).device) == 0


def relay(made, **who):
    made.bridge(30, **who)


def test_a_relay_that_was_there_is_known_by_its_traffic_and_by_nothing_else(made, tmp_path):
    relay(made, uid=10_007, package="torch")
    made.polls(np.arange(0, 5000, 300.0), uid=10_008, package="news", name="news.example")
    known = learn(made.telemetry())
    found = known.relayed(asked(*["phone-01"] * 2, "phone-02"), asked("torch", "news", "torch"))
    assert found.own[0] > 0.7
    assert (found.own[1], np.isnan(found.own[2])) == (0, True)
    assert found.others[2] == found.own[0]
    known.write(tmp_path / "one")
    again = Baseline.read(tmp_path / "one")
    assert again.relayed(asked("phone-01"), asked("torch")).own[0] == found.own[0]
    assert np.isnan(survey(made.telemetry()).relayed(asked("phone-01"), asked("torch")).own[0])
    past = type(made)()
    past.polls(np.arange(0, 5000, 300.0), uid=10_007, package="torch", name="torch.example")
    both = merged([learn(past.telemetry()), known])
    assert both.relayed(asked("phone-01"), asked("torch")).own[0] == found.own[0], "whoever saw it, it was seen"


def test_a_request_that_was_granted_is_the_clearest_word(made):
    made.flow(0, inbound=True, client="10.88.0.77", server="10.88.0.2", package="torch", proxy="socks5")
    made.rows["flows"][0] |= {"proxy_server": "server", "proxy_granted": True, "proxy_target": "x.example:443"}
    made.flow(1, package="torch", name="x.example")
    assert learn(made.telemetry()).relayed(asked("phone-01"), asked("torch")).own[0] == 1
    made.rows["flows"][0]["proxy_granted"] = None
    assert learn(made.telemetry()).relayed(asked("phone-01"), asked("torch")).own[0] == 0


def test_who_sees_no_flows_knows_of_no_relay(made):
    made.lookup(0, "x.example", package="torch")
    telemetry = made.telemetry()
    del telemetry.tables["flows"]
    found = learn(telemetry)
    assert len(relayed_of(telemetry, found.parts[0]).device) == 0
