"""Every behaviour on disk keeps the Batch's promises, whatever its settings and whoever's day it is."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lab.authoring.kinds import behaviour_class, behaviour_names
from lab.behaviours import Peer, Window
from lab.phones.phone import plan_day
from lab.phones.profile import PROFILES

HOUR = 3_600_000_000
REACHES = {"popular", "vendor", "own", "literal", "resolver", "lan", "tail", "tenant", "fresh", "group", "local"}
# bounds that keep a plan small enough for a test; a setting not named here ranges over what it allows
SMALL = {"period": (30.0, 86_400.0), "heartbeat": (30.0, 7_200.0), "ping": (20.0, 3_600.0), "reading": (5.0, 600.0)}
SMALL |= {"streams_per_hour": (0.0, 60.0), "scans_per_hour": (0.0, 60.0), "lifetime": (600.0, 600_000.0)}
SMALL |= {"open_per_hour": (0.0, 300.0), "requests_per_hour": (0.0, 300.0), "received_per_hour": (0.0, 60.0)}
SMALL |= {"reads_per_hour": (0.0, 60.0), "result_questions": (1, 50), "scanned": (1, 50), "keepalive": (10.0, 3_600.0)}
SMALL |= {"chaff_per_hour": (0.0, 600.0), "candidates": (1, 20)}
SMALL |= {"length": (10.0, 3_600.0), "playing": (1.0, 3_600.0), "segment": (2.0, 60.0)}


def strategy(field):
    kind, known = type(field.default), field.metadata
    if known.get("choices"):
        return st.sampled_from(known["choices"])
    if kind is bool:
        return st.booleans()
    low, high = SMALL.get(field.name, (known["minimum"], known["maximum"]))
    return st.integers(int(low), int(high)) if kind is int else st.floats(low, high)


def behaviours(kind):
    found = behaviour_class(kind)
    return st.builds(found, **{field.name: strategy(field) for field in fields(found)})


def window(seed, span, profile):
    day = plan_day(np.random.default_rng(seed), PROFILES[profile], ["communication", "social"], -5 * HOUR, span)
    mine = day.uses[day.front == 0]
    return Window(span, mine, day.unlocked, day.screen_on, day.doze.asleep, day.doze.maintenance)


def faults(batch, span):
    """Every promise of Batch that is broken, in words."""
    n, m = len(batch.start), len(batch.x_time)
    of = batch.x_conversation
    last = np.zeros(n, dtype=np.int64)
    np.maximum.at(last, of, batch.x_time + batch.x_delay)
    checks = {
        "lengths differ": {len(c) for c in (batch.close, batch.speech, batch.peer, batch.inbound, batch.stack)} == {n}
        and {len(c) for c in (of, batch.x_up, batch.x_down, batch.x_delay)} == {m},
        "dtypes": all(c.dtype == np.int64 for c in (batch.start, batch.close, of, batch.x_time, batch.x_up))
        and all(c.dtype == np.int64 for c in (batch.x_down, batch.x_delay))
        and all(c.dtype == np.int32 for c in (batch.speech, batch.peer, batch.stack))
        and batch.inbound.dtype == np.bool_,
        "negative": min((c.min() for c in (batch.start, batch.x_up, batch.x_down, batch.x_delay) if len(c)), default=0)
        >= 0,
        "outside the span": not n or (batch.start.max() < span and batch.close.max() < span),
        "closed too early": bool(np.all(batch.close >= last)),
        "spoke before it opened": bool(np.all(batch.x_time >= batch.start[of])),
        "not sorted": bool(np.all(np.diff(of) >= 0) and np.all(np.diff(batch.x_time)[np.diff(of) == 0] >= 0)),
        "silent": bool(np.all((batch.x_up > 0) | (batch.x_down > 0) | batch.void[of])),
        "index": not n or (batch.speech.max() < len(batch.speeches) and batch.peer.max() < len(batch.peers)),
        "reach": {peer.reach for peer in batch.peers} <= REACHES,
    }
    return [name for name, held in checks.items() if not held]


@pytest.mark.parametrize("kind", behaviour_names())
def test_default_settings_keep_the_promises(kind):
    made = behaviour_class(kind)()
    batch = made.plan(np.random.default_rng(1), window(1, 24 * HOUR, "office-worker"))
    assert faults(batch, 24 * HOUR) == []
    assert len(batch.x_time) > 0


@pytest.mark.parametrize("kind", behaviour_names())
@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_settings_keep_the_promises(kind, data):
    made = data.draw(behaviours(kind))
    span = data.draw(st.integers(60_000_000, 12 * HOUR))
    day = window(data.draw(st.integers(0, 99)), span, data.draw(st.sampled_from(sorted(PROFILES))))
    assert faults(made.plan(np.random.default_rng(3), day), span) == []


@pytest.mark.parametrize("kind", behaviour_names())
def test_same_generator_same_plan(kind):
    made, day = behaviour_class(kind)(), window(2, 12 * HOUR, "office-worker")
    one, two, other = (made.plan(np.random.default_rng(seed), day) for seed in (5, 5, 6))
    assert all(np.array_equal(vars(one)[name], vars(two)[name]) for name in ("start", "close", "x_time", "x_up"))
    assert not np.array_equal(one.x_time, other.x_time)


@pytest.mark.parametrize("kind", behaviour_names())
def test_a_setting_states_its_bounds(kind):
    for field in fields(behaviour_class(kind)):
        known = field.metadata
        if type(field.default) in (int, float):
            assert known["minimum"] <= field.default <= known["maximum"], field.name
        elif isinstance(field.default, str):
            assert field.default in known["choices"], field.name


def test_a_broken_batch_is_found(worker, rng):
    batch = behaviour_class("http-poll")().plan(rng, worker)
    vars(batch)["close"] = batch.close - 10_000_000
    vars(batch)["peers"] = (Peer("anywhere"),)
    assert faults(batch, worker.span) == ["closed too early", "reach"]
