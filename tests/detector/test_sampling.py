"""Packet sampling: the binomial law, independence of order, the extremes."""

import numpy as np
import pyarrow as pa
import pytest

from detector.contract import SCHEMAS, Telemetry
from detector.sampling import ONE_IN, extremes, sampled, uniform
from detector.views import VIEWS

NUMBER = np.arange(40_000)


@pytest.mark.parametrize("packets", [1, 10, 100, 400, 4_000, 6_000, 1_000_000])
def test_sampled_packets_are_binomial(packets: int) -> None:
    seen = sampled(np.full(len(NUMBER), packets), NUMBER, 0)
    mean, variance = packets / ONE_IN, packets / ONE_IN * (1 - 1 / ONE_IN)
    error = np.sqrt(variance / len(NUMBER))
    assert abs(seen.mean() - mean) < 4 * error + 0.02  # 0.02: rounding of the normal approximation
    assert 0.9 * variance < seen.var() < 1.1 * variance
    missed = (1 - 1 / ONE_IN) ** packets
    assert abs((seen == 0).mean() - missed) < 4 * np.sqrt(missed * (1 - missed) / len(NUMBER)) + 1e-9
    assert seen.min() >= 0
    assert seen.max() <= packets


def test_draws_depend_on_the_flow_and_nothing_else() -> None:
    packets = NUMBER % 900
    shuffled = np.random.default_rng(1).permutation(len(NUMBER))
    assert np.array_equal(sampled(packets, NUMBER, 0)[shuffled], sampled(packets[shuffled], NUMBER[shuffled], 0))
    assert not np.array_equal(sampled(packets, NUMBER, 0), sampled(packets, NUMBER, 2))


def test_uniforms_are_uniform_and_streams_unrelated() -> None:
    one, other = uniform(NUMBER, 0), uniform(NUMBER, 1)
    assert 0 < one.min() < one.max() < 1
    assert np.abs(np.sort(one) - (NUMBER + 0.5) / len(NUMBER)).max() < 1.63 / np.sqrt(len(NUMBER))  # Kolmogorov, 1 %
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.02


@pytest.mark.parametrize("samples", [1, 2, 9])
def test_extremes_are_those_of_uniform_times(samples: int) -> None:
    size = len(NUMBER)
    first, last = extremes(np.zeros(size, int), np.full(size, 1_000_000), np.full(size, samples), NUMBER, 4)
    assert (first <= last).all()
    assert (first[0] == last[0]) == (samples == 1)
    assert abs(first.mean() / 1e6 - 1 / (samples + 1)) < 0.01
    assert abs(last.mean() / 1e6 - samples / (samples + 1)) < 0.01


def test_view_keeps_the_sum_of_bytes_and_the_two_rows_of_a_flow_agree() -> None:
    size = 20_000
    columns = {field.name: pa.nulls(2 * size, field.type) for field in SCHEMAS["flows"]}
    number = np.repeat(np.arange(size), 2)
    columns |= {"flow": pa.array(number), "inbound": pa.array(number * 0 + np.tile([0, 1], size) == 1)}
    columns |= {name: pa.array(number * 1_000) for name in ("start", "end")}
    columns |= {name: pa.array(10 + number % 50) for name in ("packets_up", "packets_down")}
    columns |= {name: pa.array((10 + number % 50) * 700) for name in ("bytes_up", "bytes_down")}
    columns["established"] = pa.array([True] * (2 * size))
    before = Telemetry({"flows": pa.table(columns, SCHEMAS["flows"])}, (0, 1))
    after = VIEWS["sampled-1in100"](before)["flows"]
    totals = [sum(table["bytes_up"].to_pylist()) for table in (before["flows"], after)]
    assert abs(totals[1] / totals[0] - 1) < 0.05
    assert 0.3 < after.num_rows / (2 * size) < 0.7
    pairs = [
        after.filter(pa.array(after["inbound"].to_numpy() == side)).drop_columns(["inbound"]) for side in (False, True)
    ]
    assert pairs[0] == pairs[1]
    assert set(after["packets_up"].to_numpy() % ONE_IN) == {0}
