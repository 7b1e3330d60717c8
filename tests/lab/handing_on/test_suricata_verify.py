"""A suricata-verify folder, its checks carried out with Suricata itself, as far as its runner is known to us."""

import json
import os
import shutil
import subprocess

import pytest

from lab.errors import Unsupported
from lab.handing_on.source import Source
from lab.handing_on.suricata_verify import expected, key, parts
from lab.store import write_atomic

yaml = pytest.importorskip("yaml", reason="reading test.yaml needs pyyaml, of the extra sigma")
NEEDED = [name for name in ("suricata", "jq") if shutil.which(name) is None]
pytestmark = pytest.mark.skipif(bool(NEEDED), reason=f"not installed: {', '.join(NEEDED)}")
RULE = (
    'alert tls any any -> any any (msg:"x"; flow:established,to_server; tls.sni; content:"{name}"; '
    "metadata:mitre_technique_id T1437; sid:{sid}; rev:1;)\n"
)


@pytest.fixture
def written(handed, tmp_path):
    def write(rules=""):
        if rules:
            (tmp_path / "my.rules").write_text(rules)
        source = Source(handed.recording, rules=tmp_path / "my.rules" if rules else None)
        folder = tmp_path / "test"
        folder.mkdir()
        for part in parts(source):
            write_atomic(folder / part.name, part.content)
        return folder

    return write


def at(row, path):
    for name in path.split("."):
        row = row.get(name) if isinstance(row, dict) else None
    return row


def verified(folder):
    """(kind, expected, found) of each check that is for Suricata 7."""
    test, out = yaml.safe_load((folder / "test.yaml").read_text()), folder / "output"
    out.mkdir()
    rules = folder / "test.rules"
    words = ["suricata", "-r", str(folder / "input.pcap"), "-l", str(out), *" ".join(test["args"]).split()]
    subprocess.run([*words, "-S", str(rules) if rules.exists() else "/dev/null"], check=True, capture_output=True)
    rows = [json.loads(line) for line in (out / "eve.json").read_text().splitlines()]
    for check in test["checks"]:
        if "filter" in check and check["filter"].get("min-version", 7) == 7:
            match, count = check["filter"]["match"], check["filter"]["count"]
            yield "filter", count, sum(all(at(row, name) == value for name, value in match.items()) for row in rows)
        if "shell" in check:
            words, env = check["shell"]["args"], {**os.environ, "TEST_DIR": str(folder)}
            said = subprocess.run(words, shell=True, cwd=out, env=env, check=True, capture_output=True, text=True)
            yield "shell", check["shell"]["expect"], said.stdout.strip()


def test_suricata_sees_what_was_played(written, handed):
    found = list(verified(written()))
    assert len(found) >= 4
    assert all(wanted == seen for _, wanted, seen in found)
    assert found[0][1] == len(handed.rows("dns")) > 0
    assert min(wanted for _, wanted, _ in found) > 0


def test_a_good_rule_passes(written, handed):
    (name,) = {one.flow["sni"] for one in handed.flows if one.incident and one.flow["sni"]}
    shells = [row for row in verified(written(RULE.format(name=name, sid=7))) if row[0] == "shell"]
    assert shells == [("shell", "true", "true")] * len(handed.truth.incidents) + [("shell", "0", "0")]


def test_a_rule_that_misses_and_cries_wolf_fails(written, handed):
    other = next(one.flow["sni"] for one in handed.flows if not one.incident and one.flow["sni"])
    shells = [row for row in verified(written(RULE.format(name=other, sid=7))) if row[0] == "shell"]
    assert shells[0] == ("shell", "true", "false")
    assert shells[-1][1] == "0"
    assert int(shells[-1][2]) > 0


def test_expected_flows_are_the_truths(handed):
    flows = {analytic: {len(own) for own in told.values()} for analytic, told in expected(handed).items()}
    assert flows
    assert all(count > 0 for counts in flows.values() for count in counts)
    mine = {key(one) for one in handed.flows if one.label[0] == "Malicious"}
    assert {one for told in expected(handed).values() for own in told.values() for one in own} == mine


def test_a_recording_without_packets_has_no_test(handed, monkeypatch):
    monkeypatch.setattr(Source, "capture", None)
    with pytest.raises(Unsupported, match="record it on wire"):
        next(parts(handed))
