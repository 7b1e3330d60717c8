"""An attack_data folder: its YAML names every file, its logs have no label, the truth is told apart."""

import re

import pytest

from detector.contract import open_telemetry
from lab.handing_on.attack_data import parts
from lab.store import write_atomic

yaml = pytest.importorskip("yaml", reason="reading it needs pyyaml, of the extra sigma")


@pytest.fixture(scope="module")
def folder(handed, tmp_path_factory):
    made = tmp_path_factory.mktemp("data")
    for part in parts(handed):
        write_atomic(made / part.name, part.content)
    return made


def test_the_yaml_names_what_is_there(folder):
    told = yaml.safe_load((folder / "smoke-poll.yml").read_text())
    described = {path.name for path in folder.iterdir()} - {"smoke-poll.yml", "truth.yml"}
    assert set(told["dataset"]) == described >= {"conn.log", "dns.log", "capture.pcap"}
    assert set(told["sourcetypes"]) >= {"bro:conn:tsv", "pcap"}
    assert told["mitre_technique"] == ["T1437.001"] or told["mitre_technique"] == ["T1437"]
    assert told["references"][0].startswith("https://attack.mitre.org/techniques/T1437")
    assert re.fullmatch(r"[0-9a-f-]{36}", told["id"])
    assert told["date"] == "2026-03-02"


def test_the_truth_is_told_apart(folder, handed):
    truth = yaml.safe_load((folder / "truth.yml").read_text())["incidents"]
    assert [one["incident"] for one in truth] == [one.incident for one in handed.truth.incidents]
    assert [one["peers"] for one in truth] == [list(one.peers) for one in handed.truth.incidents]
    logs = [path.read_text() for path in folder.glob("*.log")]
    assert logs
    assert not any(re.search(r"Malicious|Benign|AN1793|http-poll|label", text) for text in logs)


def test_its_capture_is_the_recordings(folder, handed):
    back = open_telemetry(folder / "capture.pcap")
    assert back.packets == handed.telemetry.packets > 0


def test_the_same_recording_is_the_same_set(handed, folder):
    again = {part.name: part.content for part in parts(handed)}
    assert again["smoke-poll.yml"] == (folder / "smoke-poll.yml").read_bytes()
