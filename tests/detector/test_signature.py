"""A signature is carried into every finding."""

from __future__ import annotations

import dataclasses

import numpy as np

from detector.contract import detector


def test_findings_of_partial_evidence_say_so(made):
    made.polls(300.0 * np.arange(100))
    whole = made.telemetry()
    partial = dataclasses.replace(whole, partial="cut at packet 7")
    for name in ("builtin", "always"):
        assert {finding.partial for finding in detector(name).detect(whole)} == {False}
        assert {finding.partial for finding in detector(name).detect(partial)} == {True}
