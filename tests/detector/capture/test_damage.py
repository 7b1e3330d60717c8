"""The error of a damaged capture: evidence, with its place as fields and in words."""

from pathlib import Path

from detector.capture.damage import CaptureError, Damage
from detector.contract import EvidenceError


def test_error_has_fields_words_and_the_next_command():
    fault = CaptureError(Path("x.pcap"), Damage(7, 99, "length 5", "at most 4"))
    assert isinstance(fault, EvidenceError)
    assert (fault.path, fault.packet, fault.offset, fault.found, fault.expected) == (
        Path("x.pcap"),
        7,
        99,
        "length 5",
        "at most 4",
    )
    assert str(fault) == (
        "x.pcap: packet 7, byte 99: found length 5, expected at most 4; what stands before it can be read with --allow-partial"
    )


def test_other_advice_replaces_the_usual_one():
    assert str(CaptureError(Path("x.gz"), Damage(1, 0, "gzip", "pcap"), "run: gunzip x.gz")).endswith(
        "; run: gunzip x.gz"
    )
