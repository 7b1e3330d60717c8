"""Evidence of one finding: its flows and packets, nobody else's; the truth only if it is asked for."""

import json
from dataclasses import replace

import pytest

from detector.contract import Finding, detector, open_telemetry
from lab.errors import EvidenceError
from lab.handing_on.evidence import chosen, flows_of, parts
from lab.store import write_atomic


@pytest.fixture
def folder(judged, tmp_path):
    for part in parts(judged):
        write_atomic(tmp_path / part.name, part.content)
    return tmp_path


def test_its_packets_are_its_flows(folder, judged):
    mine = flows_of(judged, chosen(judged))
    back = open_telemetry(folder / "capture.pcap")
    assert back["flows"].num_rows == len(mine) < len(judged.flows)
    assert back.packets == sum(one.flow["packets_up"] + one.flow["packets_down"] for one in mine)
    peers = {finding.peer for finding in detector("builtin").detect(back) if finding.alert}
    assert peers == {chosen(judged).peer}


def test_it_says_what_was_said(folder, judged):
    finding = chosen(judged)
    assert finding.alert
    assert Finding.from_json(json.loads((folder / "finding.json").read_text())) == finding
    text = (folder / "README.md").read_text()
    assert all(reason.text in text for reason in finding.reasons)
    numbers = {json.loads(line)["flow"] for line in (folder / "flows.jsonl").read_text().splitlines()}
    for name in ("exchanges", "dns"):
        rows = [json.loads(line)["flow"] for line in (folder / f"{name}.jsonl").read_text().splitlines()]
        assert set(rows) <= numbers
        assert rows


def test_truth_is_told_only_if_asked(judged):
    assert "truth.json" not in {part.name for part in parts(judged)}
    told = {part.name: part.content for part in parts(replace(judged, with_truth=True))}
    labels = json.loads(told["truth.json"])["flows"]
    assert {one["label"] for one in labels} == {"Malicious"}


def test_it_is_of_the_finding_that_was_chosen(judged, handed):
    last = len(judged.findings)
    assert chosen(replace(judged, number=last)) == judged.findings[-1]
    with pytest.raises(LookupError, match=f"found {last + 1}, expected 1 to {last}"):
        chosen(replace(judged, number=last + 1))
    with pytest.raises(LookupError, match="--findings"):
        chosen(handed)


def test_a_finding_of_another_recording_has_no_evidence(judged):
    stranger = replace(judged.findings[0], device="phone-99")
    with pytest.raises(EvidenceError, match="found no flow of phone-99"):
        list(parts(replace(judged, findings=(stranger,))))
