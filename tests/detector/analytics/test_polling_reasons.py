"""Reasons a person can check: every factor is there, in words, with units."""

from __future__ import annotations

import json

import numpy as np
import pytest

from detector.analytics.polling_reasons import duration
from detector.contract import detector, write_findings


def test_every_factor_is_a_reason_with_a_sentence(made):
    made.state(0, locked=True)
    made.state(43_000, locked=False, foreground=5)
    made.polls(300.0 * np.arange(280), uid=10_001, name="a.site.example")
    (finding,) = detector("builtin").detect(made.telemetry())
    assert json.loads(next(write_findings([finding])))["reasons"][0]["value"] == 300
    names = [reason.feature for reason in finding.reasons]
    assert names[0] == "period_s"
    assert len(names) == len(set(names))
    assert {
        "interval_regularity",
        "background_use",
        "prevalence",
        "role_baseline",
        "size_symmetry",
        "product",
        "points",
    } <= set(names)
    for reason in finding.reasons:
        assert reason.text
        assert "{" not in reason.text
        assert reason.expected
        assert reason.value is not None or "unknown" in reason.text
        assert reason.weight >= 0


def test_many_addresses_are_counted_not_listed(made):
    for k in range(20):
        made.flow(60.0 * k, name="a.site.example", server=f"198.18.0.{k}")
    (finding,) = detector("builtin").detect(made.telemetry())
    assert "and 16 more" in finding.reasons[0].text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.0266, "0.027 s"), (119, "119.00 s"), (1800, "30.0 min"), (86_400, "24.0 h")]
)
def test_duration(seconds, text):
    assert duration(seconds) == text
