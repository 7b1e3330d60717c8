"""A request is answered with the exchange that bears the answer, and at the latest with its flow."""

from __future__ import annotations

import numpy as np
import pytest

from detector.answered import answered

S = 1_000_000


def ends(made, *, socks5):
    """When the request of the first flow was answered, in seconds."""
    exchanges = made.telemetry().tables.get("exchanges")
    return answered(np.array([0]), np.array([100 * S]), np.array([socks5]), exchanges)[0] / S


@pytest.mark.parametrize(("socks5", "expected"), [(False, 12), (True, 22)])
def test_the_answer_follows_the_greeting(made, socks5, expected):
    made.flow(0, lasts_s=100)
    made.exchange(0, 5, 100, 0, delay_s=1)
    for start in (20, 10):
        made.exchange(0, start, 100, 100, delay_s=2)
    made.exchange(1, 1, 100, 100)
    assert ends(made, socks5=socks5) == expected


@pytest.mark.parametrize("socks5", [False, True])
def test_without_an_exchange_that_bears_it_the_flow_must_be_over(made, socks5):
    made.flow(0, lasts_s=100)
    assert ends(made, socks5=socks5) == 100
    made.exchange(0, 5, 100, 0)
    assert ends(made, socks5=socks5) == 100
