"""A telemetry cut at a moment holds what was known by then, and cut at its end it is itself."""

from __future__ import annotations

import numpy as np
import pytest

from detector.until import until

S = 1_000_000


def day(made):
    long = made.flow(0, lasts_s=100, up=1100, down=2000)
    made.exchange(long, 10, 100, 0)
    made.exchange(long, 50, 0, 700, delay_s=0.5)
    made.exchange(long, 90, 1000, 1300)
    made.flow(20, lasts_s=10, up=1000, down=0)
    made.lookup(30, "late.example", answers=("198.18.0.1",))
    made.rows["dns"][0]["answered"] = 45 * S
    made.state(0, locked=True)
    made.state(70, locked=False)
    return made.telemetry()


def test_what_came_later_is_gone(made):
    cut = until(day(made), 60 * S)
    assert cut.span[1] == 60 * S
    assert [cut[name].num_rows for name in ("flows", "exchanges", "device_state")] == [3, 2, 1]
    assert cut["flows"]["end"].to_pylist()[0] == 60 * S


def test_an_unfinished_flow_has_carried_what_its_finished_exchanges_and_handshake_did(made):
    flow = until(day(made), 60 * S)["flows"].to_pylist()[0]
    assert (flow["bytes_up"], flow["bytes_down"]) == (100, 700)


def test_a_flow_without_exchanges_has_carried_its_share(made):
    flow = until(day(made), 25 * S)["flows"].to_pylist()[1]
    assert (flow["bytes_up"], flow["bytes_down"]) == (500, 0)
    assert flow["packets_up"] == 4


@pytest.mark.parametrize(("moment", "answers"), [(40, None), (50, ["198.18.0.1"])])
def test_an_answer_is_known_when_it_came(made, moment, answers):
    assert until(day(made), moment * S)["dns"]["answers"].to_pylist() == [answers]


def test_at_the_end_nothing_is_lost(made):
    telemetry = day(made)
    whole = until(telemetry, telemetry.span[1])
    assert all(whole[name].equals(table) for name, table in telemetry.tables.items())


def test_it_never_grows(made):
    telemetry = day(made)
    totals = [sum(until(telemetry, k * S)["flows"]["bytes_down"].to_pylist()) for k in range(0, 120, 5)]
    assert (np.diff(totals) >= 0).all()
    assert len(set(totals)) > 3


@pytest.mark.parametrize(("proxy", "known_s"), [("connect", 12), ("socks5", 22)])
def test_whether_a_request_was_granted_is_known_with_its_answer(made, proxy, known_s):
    flow = made.flow(0, lasts_s=100, up=300, down=300, proxy=proxy, proxy_granted=True)
    made.exchange(flow, 10, 100, 100, delay_s=2)
    made.exchange(flow, 20, 100, 100, delay_s=2)
    told = [until(made.telemetry(), k * S)["flows"]["proxy_granted"].to_pylist() for k in (known_s - 1, known_s)]
    assert told == [[None], [True]]
