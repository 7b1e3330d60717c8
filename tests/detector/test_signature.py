"""A signature is carried into every finding."""

from __future__ import annotations

import dataclasses

import numpy as np

from detector.contract import Finding, detector
from detector.signature import Signature


def test_findings_of_partial_evidence_say_so(made):
    made.polls(300.0 * np.arange(100))
    whole = made.telemetry()
    partial = dataclasses.replace(whole, partial="cut at packet 7")
    for name in ("builtin", "always"):
        assert {finding.partial for finding in detector(name).detect(whole)} == {False}
        assert {finding.partial for finding in detector(name).detect(partial)} == {True}


def test_a_foreign_finding_is_signed_anew_and_stays_partial():
    theirs = Finding("AN1793", "d", None, None, None, 1, 2, 2, 0.5, True, "low", "theirs", "9")
    mine = Signature("mine", "1", partial=False).under(theirs)
    assert (mine.detector, mine.detector_version, mine.partial) == ("mine", "1", False)
    assert Signature("mine", "1", partial=True).under(theirs).partial
    assert Signature("mine", "1", partial=False).under(dataclasses.replace(theirs, partial=True)).partial
