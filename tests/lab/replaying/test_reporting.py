import numpy as np

from lab.replaying.lateness import lateness
from lab.replaying.reporting import Report


def test_a_report_counts_failures_and_names_them():
    report = Report(planned=5, sent=3, failed={"Message too long": 2})
    told = report.to_json()
    assert (told["failed"], told["faults"], told["lateness"]) == (2, {"Message too long": 2}, None)
    report.lateness = lateness(np.arange(3), np.arange(3))
    assert report.to_json()["lateness"]["frames"] == 3


def test_what_an_interface_did_not_count_was_dropped():
    assert Report(planned=5, sent=5, counted={"x": 3, "y": 1}).dropped == 1
    assert Report(planned=5, sent=5, counted={"x": 9}).dropped == 0  # others send there, too
    assert Report(planned=5, sent=5).to_json()["dropped"] == 0
