"""What the argument of ``zeek:`` may be, and what a view without packets is told."""

from pathlib import Path

import pytest

from detector.adapters import zeek as adapter
from detector.contract import SCHEMAS, Telemetry, Unsupported, detector
from detector.foreign.zeek_notice import Zeek
from detector.named_alerts import Hit

HIT = Hit("AN1793", 1_000_000, "10.88.0.2", 40_000, "198.18.0.9", 443, "tcp", 1.0, "medium", "steady", "Poll::Steady")


@pytest.fixture
def one(tmp_path, monkeypatch):
    monkeypatch.setattr(adapter, "installed", lambda: Zeek(Path("/usr/bin/zeek"), Path("/usr"), "7.0.4"))
    monkeypatch.setattr(adapter, "noticed", lambda *_: [HIT])
    (tmp_path / "poll.zeek").write_text("redef enum Notice::Type += { Steady };\n")
    return detector(f"zeek:{tmp_path / 'poll.zeek'}?analytic=AN1793")


def test_a_notice_is_a_finding_about_whoever_it_names(one, tmp_path):
    capture = tmp_path / "x.pcap"
    capture.write_bytes(b"")
    seen = Telemetry({"flows": SCHEMAS["flows"].empty_table()}, (0, 2_000_000), capture=capture)
    (finding,) = one.detect(seen)
    assert (finding.analytic, finding.device, finding.alert) == ("AN1793", "10.88.0.2", True)
    assert (finding.detector, finding.detector_version) == (one.name, one.version)
    assert one.version.startswith("7.0.4+")
    assert one.judges(seen) == ("AN1793",)


def test_without_packets_it_cannot_judge(one):
    seen = Telemetry({"flows": SCHEMAS["flows"].empty_table()}, (0, 1), view="netflow")
    with pytest.raises(Unsupported, match="view netflow shows none"):
        list(one.detect(seen))


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("", "expected zeek:SCRIPT"),
        ("absent.zeek", "absent.zeek: not found"),
        ("x?analytic=AN1", "expected ?analytic="),
    ],
)
def test_a_wrong_argument_is_told_before_zeek_is_looked_for(argument, said):
    with pytest.raises(LookupError) as fault:
        detector(f"zeek:{argument}")
    assert said in str(fault.value)
    assert not isinstance(fault.value, Unsupported)
