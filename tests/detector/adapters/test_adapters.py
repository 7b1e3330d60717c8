"""The bundled detectors by name: arguments, controls, and telemetry they cannot run on."""

from __future__ import annotations

import numpy as np
import pytest

from detector.contract import ANALYTICS, Telemetry, Unsupported, detector
from detector.thresholds import BUNDLED


def test_silent_never_finds_and_always_always_does(made):
    made.polls(np.arange(3.0), uid=10_001)
    made.polls(np.arange(3.0), uid=10_002)
    assert list(detector("silent").detect(made.telemetry())) == []
    found = list(detector("always").detect(made.telemetry()))
    assert [(finding.uid, finding.analytic) for finding in found] == [
        (u, a) for a in ANALYTICS for u in (10_001, 10_002)
    ]
    assert all((finding.peer is None) == (finding.analytic == "AN1702") for finding in found)
    assert all(finding.alert and finding.score == 1 for finding in found)


@pytest.mark.parametrize("name", ["silent:x", "always:x", "builtin:nowhere.toml", "builtin:.", "builtin:\0"])
def test_a_wrong_argument_is_refused_in_one_line(name):
    with pytest.raises(LookupError, match=r"found .*expected") as fault:
        detector(name)
    assert not isinstance(fault.value, KeyError | IndexError), "these two mean a fault of ours, not of the caller"
    assert "\n" not in str(fault.value)


def test_a_malformed_thresholds_file_is_refused_with_all_its_faults(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("[AN1793]\nthreshold = 'high'\n[AN1702]\nperiod = 3\n")
    with pytest.raises(LookupError) as fault:
        detector(f"builtin:{path}")
    told = str(fault.value)
    assert not isinstance(fault.value, KeyError | IndexError)
    assert all(part in told for part in ("threshold: found 'high', expected float", "unknown key 'period'"))


def test_builtin_reads_other_thresholds(made, tmp_path):
    made.polls(300.0 * np.arange(200))
    path = tmp_path / "strict.toml"
    path.write_text(BUNDLED.read_text().replace("threshold = 0.6 ", "threshold = 0.99 ", 1))
    assert [finding.alert for finding in detector("builtin").detect(made.telemetry())] == [True]
    assert [finding.alert for finding in detector(f"builtin:{path}").detect(made.telemetry())] == [False]


@pytest.mark.parametrize("name", ["builtin", "always"])
def test_dns_alone_suffices_and_nothing_does_not(made, name):
    for k in range(100):
        made.lookup(60.0 * k, f"{k:040x}.zone.example", qtype="TXT")
    del made.rows["flows"]
    alerts = [finding for finding in detector(name).detect(made.telemetry()) if finding.alert]
    assert alerts[0].device == "10.88.0.2"
    with pytest.raises(Unsupported):
        list(detector(name).detect(Telemetry({}, span=(0, 1))))
