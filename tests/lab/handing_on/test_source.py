"""What is handed on is proved first, findings line by line."""

import shutil

import pytest

from lab.errors import EvidenceError
from lab.handing_on.source import json_lines, read_findings, source


def test_a_recording_with_its_truth(handed, judged):
    assert handed.name == "smoke-poll-s3"
    assert {one.label[0] for one in handed.flows} == {"Malicious", "Benign"}
    assert len(handed.flows) == len({row["flow"] for row in handed.rows("flows")}) > 10
    assert handed.rows("nothing") == handed.rows("nowhere") == []
    assert not handed.findings
    assert any(one.alert for one in judged.findings)


def test_a_damaged_recording_is_refused(smoke_recording, tmp_path):
    shutil.copytree(smoke_recording, tmp_path / "cut")
    capture = tmp_path / "cut/telemetry/capture.pcap"
    capture.write_bytes(capture.read_bytes()[:-1])
    with pytest.raises(EvidenceError, match=r"capture\.pcap: found bytes"):
        source(tmp_path / "cut")


@pytest.mark.parametrize("line", ["{", "[]", '{"analytic": "AN1"}', "\xff", "[" * 100_000])
def test_findings_that_are_none_are_refused_with_their_line(found, tmp_path, line):
    path = tmp_path / "f.jsonl"
    path.write_bytes(found.read_bytes().splitlines()[0] + b"\n\n" + line.encode("latin-1"))
    with pytest.raises(EvidenceError, match="line 3: "):
        read_findings(path)


def test_lines_of_json():
    assert json_lines([{"a": "ü"}, {}]) == '{"a": "ü"}\n{}\n'.encode()
