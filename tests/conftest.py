"""Small truths, findings and trials, for every test of scoring and of the report."""

from __future__ import annotations

import dataclasses
import signal
from types import SimpleNamespace

import pytest
from hypothesis import settings

from detector.contract import Finding, Reason
from lab.scoring.outcomes import TrialResult
from lab.truth import Truth, TruthIncident

# a busy machine is not a fault: no test judges how long an example takes
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")

HOUR = 3_600_000_000
START = 1_772_409_600_000_000  # 2026-03-02T00:00:00Z


@pytest.fixture(scope="session", autouse=True)
def _interrupts_are_heard():
    """A suite that is a background job is told to ignore SIGINT (POSIX shells), and would hand that down to commands.

    A handler in this process is the default one in those it starts.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
    yield
    signal.signal(signal.SIGINT, before)


def incident(**changes):
    values = {
        "incident": "phone-01/com.example.torch/http-poll",
        "analytic": "AN1793",
        "technique": "T1437.001",
        "behaviour": "http-poll",
        "twin_of": "",
        "device": "phone-01",
        "uid": 10101,
        "package": "com.example.torch",
        "peers": ("api.vendor.example", "198.18.0.7"),
        "start": START,
        "end": START + 24 * HOUR,
        "contacts": 3,
        "settings": {},
    }
    return TruthIncident(**{**values, **changes})


def truth(*incidents, **changes):
    values = {
        "incidents": tuple(incidents),
        "devices": {"phone-01": "10.88.0.11", "phone-02": "10.88.0.12"},
        "packages": {
            ("phone-01", "com.example.torch"): (10101, "tools"),
            ("phone-01", "com.example.news"): (10102, "news"),
            ("phone-02", "com.example.news"): (10102, "news"),
        },
        "start": START,
        "span": 24 * HOUR,
        "scenario": "polling-plain",
        "seed": 1,
        "twin_of": "",
    }
    return Truth(**{**values, **changes})


def finding(**changes):
    made = Finding(
        analytic="AN1793",
        device="phone-01",
        uid=10101,
        package="com.example.torch",
        peer="api.vendor.example",
        first_seen=START + HOUR,
        last_seen=START + 20 * HOUR,
        decided_at=START + 2 * HOUR,
        score=0.9,
        alert=True,
        severity="high",
        detector="builtin",
        detector_version="1",
        reasons=(Reason("period_s", 300.0, "irregular", 0.4, "contacts come every 300 s"),),
    )
    return dataclasses.replace(made, **changes)


def trial(*findings, **changes):
    values = {"scenario": "polling-plain", "seed": 1, "stage": "wire", "view": "full", "detector": "builtin"}
    values |= {"status": "scored", "truth": truth(incident()), "findings": tuple(findings)}
    return TrialResult(**{**values, **changes})


@pytest.fixture(scope="session")
def make():
    """Builders by noun: make.incident(...), make.truth(...), make.finding(...), make.trial(...)."""
    return SimpleNamespace(incident=incident, truth=truth, finding=finding, trial=trial, HOUR=HOUR, START=START)


@pytest.fixture(autouse=True, scope="session")
def own_state(tmp_path_factory):
    """No test writes the cache's key into the home of whoever runs it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield
