"""EVE of a recording: our own reader makes the same flows and look-ups of it, and Suricata's own says no other."""

import json
import re
import shutil
import subprocess
from collections import Counter

import pytest

from detector.contract import detector, open_telemetry
from lab.handing_on.eve import parts
from lab.store import write_atomic

SAME = ("client", "client_port", "server", "server_port", "proto", "start", "end", "established", "app_proto")
COUNTS = ("packets_up", "packets_down", "sni", "ja4", "host", "method", "user_agent")
ASKED = ("time", "answered", "client", "qname", "qtype", "rcode", "answers")


@pytest.fixture(scope="module")
def log(handed, tmp_path_factory):
    (part,) = parts(handed)
    path = tmp_path_factory.mktemp("eve") / part.name
    write_atomic(path, part.content)
    return path


def keyed(table, names):
    return sorted(repr([row[name] for name in names]) for row in table.to_pylist() if not row.get("inbound"))


def test_our_own_reader_reads_the_same_flows_back(handed, log):
    back = open_telemetry(log)
    assert keyed(back["flows"], SAME) == keyed(handed.telemetry["flows"], SAME)
    assert keyed(back["flows"], COUNTS) == keyed(handed.telemetry["flows"], COUNTS)
    assert keyed(back["dns"], ASKED) == keyed(handed.telemetry["dns"], ASKED) != []


def test_the_builtin_detector_finds_the_incident_in_it(handed, log):
    peers = {finding.peer for finding in detector("builtin").detect(open_telemetry(log)) if finding.alert}
    assert peers & set(handed.truth.incidents[0].peers)


@pytest.mark.skipif(shutil.which("suricata") is None, reason="suricata is not installed")
def test_suricata_itself_logs_as_many_events_of_each_name(handed, log, tmp_path):
    words = ["suricata", "-k", "none", "-r", str(handed.capture), "-l", str(tmp_path), "-S", "/dev/null"]
    subprocess.run(words, capture_output=True, check=True)
    ours, theirs = (counted(path) for path in (log, tmp_path / "eve.json"))
    assert ours == theirs
    assert {kind for kind, _ in ours} == {"dns", "tls"}


def counted(path):
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    found = Counter((one["event_type"], one["dns"].get("rrname")) for one in rows if one["event_type"] == "dns")
    return found + Counter((one["event_type"], one["tls"].get("sni")) for one in rows if one["event_type"] == "tls")


def test_no_truth_is_told_and_times_rise(log):
    text = log.read_text()
    assert not re.search(r"Malicious|Benign|AN1793|http-poll|incident|label|alert\"", text)
    times = [json.loads(line)["timestamp"] for line in text.splitlines()]
    assert times == sorted(times)
