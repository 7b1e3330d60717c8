"""Probes find what they look for: detectors that invent, hang, waver or read labels fail; honest ones pass."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pyarrow as pa
import pytest

from detector.contract import SCHEMAS, Finding, Telemetry, Unsupported
from lab.catalogue import probe_cases, probing
from lab.catalogue.probing import Answer, Looks, exit_code, print_probes, probe


@pytest.fixture
def sound(tmp_path):
    """Telemetry of two apps with three places each, and a capture."""
    capture = tmp_path / "given.pcap"
    capture.write_bytes(probe_cases.HEADER + b"\x00" * 64)
    rows = []
    for number in range(60):
        row = dict.fromkeys(SCHEMAS["flows"].names)
        row |= {
            "flow": number,
            "device": "phone-01",
            "inbound": False,
            "package": f"com.a{number % 2}",
            "client": "10.88.0.2",
        }
        row |= {"server": "198.18.0.9", "name": f"h{number % 3}.example", "proto": "tcp", "established": True}
        row |= {
            "start": number * 60_000_000,
            "end": number * 60_000_000 + 1000,
            "client_port": 4000,
            "server_port": 443,
        }
        row |= {"bytes_up": 1, "bytes_down": 2, "packets_up": 1, "packets_down": 1}
        rows.append(row)
    return Telemetry({"flows": pa.Table.from_pylist(rows, SCHEMAS["flows"])}, (0, 86_400_000_000), capture=capture)


def finding(package: str | None = "com.a0", peer: str = "h0.example", score: float = 0.5) -> Finding:
    return Finding("AN1793", "phone-01", None, package, peer, 1, 2, 2, score, True, "low", "mine", "1")


@dataclass
class Mine:
    """A detector by its function."""

    how: object
    name: str = "mine"
    version: str = "1"
    needs: tuple = ()

    def detect(self, telemetry):
        return self.how(telemetry)


@pytest.fixture
def looks(monkeypatch):
    """Looks in this process, by a function from telemetry to findings."""

    class Here:
        ended = 0

        def at(self, telemetry):
            return Answer(*probing.answer("mine", telemetry))

        def end(self):
            self.ended += 1

    def by(how):
        monkeypatch.setattr(probing, "detector_named", lambda _name: Mine(how))
        return Here()

    return by


def honest(telemetry):
    if "flows" not in telemetry:
        raise Unsupported("no flows")
    return [finding(peer=name) for name in sorted(set(telemetry["flows"]["name"].to_pylist()) - {None})]


@pytest.mark.parametrize("ask", probing.PROBES.values())
def test_an_honest_detector_passes_every_probe(looks, sound, tmp_path, ask):
    assert ask(looks(honest), sound, tmp_path)["status"] == "passed"


def test_one_that_invents_fails(looks, sound, tmp_path):
    row = probing._empty(looks(lambda _telemetry: [finding()]), sound, tmp_path)
    assert (row["status"], row["findings"]) == ("failed", 1)
    assert "AN1793 phone-01 com.a0 h0.example, score 0.50" in row["found"]


def test_one_that_declines_nothing_passes_and_one_that_crashes_on_it_fails(looks, sound, tmp_path):
    def decline(telemetry):
        raise Unsupported("no rows")

    def crash(telemetry):
        return [1 / len(telemetry["flows"])]

    assert probing._empty(looks(decline), sound, tmp_path)["status"] == "passed"
    row = probing._empty(looks(crash), sound, tmp_path)
    assert (row["status"], "ZeroDivisionError" in row["found"]) == ("failed", True)


def test_nonsense_may_be_refused_but_must_end(looks, sound, tmp_path):
    def refuse(telemetry):
        raise ValueError("what is this")

    row = probing._malformed(looks(refuse), sound, tmp_path)
    assert row["status"] == "passed"
    assert row["found"].startswith("refused with an error: no table at all")

    class Hanging:
        def at(self, telemetry):
            return Answer("hung", "no answer within 1 s") if telemetry.partial else Answer("scored")

    row = probing._malformed(Hanging(), sound, tmp_path)
    assert row["status"] == "failed"
    assert "a capture of junk (no answer within 1 s)" in row["found"]


def test_one_that_wavers_fails(looks, sound, tmp_path):
    scores = iter((0.5, 0.6))
    wavering = looks(lambda _telemetry: [finding(score=next(scores))])
    row = probing._again(wavering, sound, tmp_path)
    assert row["status"] == "failed"
    assert "1 lost, 1 more" in row["found"]
    assert wavering.ended == 1, "the second look is another process's"


def test_the_order_of_findings_does_not_matter(looks, sound, tmp_path):
    orders = iter(((1, -1), (-1, 1)))
    both = [finding(), finding(peer="h1.example")]
    assert probing._again(looks(lambda _telemetry: both[:: next(orders)[0]]), sound, tmp_path)["status"] == "passed"


def test_what_cannot_be_judged_proves_nothing(looks, sound, tmp_path):
    def decline(telemetry):
        raise Unsupported("no http here")

    for ask in (probing._again, probing._canary):
        assert ask(looks(decline), sound, tmp_path)["status"] == "unsupported"


def by_table(telemetry):
    table = telemetry.tables.get("labels")
    return [finding(row["package"], row["peer"]) for row in table.to_pylist() if row["analytic"]] if table else []


def by_metadata(telemetry):
    said = (telemetry["flows"].schema.metadata or {}).get(b"labels", b"[]")
    return [finding(row["package"], row["peer"]) for row in json.loads(said) if row["analytic"]]


def by_column_metadata(telemetry):
    said = (telemetry["flows"].schema.field("name").metadata or {}).get(b"labels", b"[]")
    return [finding(row["package"], row["peer"]) for row in json.loads(said) if row["analytic"]]


def beside(*names):
    def look(telemetry):
        path = telemetry.capture.parent.joinpath(*names)
        rows = json.loads(path.read_bytes()) if path.exists() else []
        rows = rows["incidents"] if isinstance(rows, dict) else rows
        return [finding(row["package"], row["peer"]) for row in rows if row["analytic"]]

    return look


def by_folder(telemetry):
    return [finding()] if "malicious" in str(telemetry.capture) else []


def by_zeek(telemetry):
    path = telemetry.capture.parent / "conn.log.labeled"
    return [finding(peer=str(path.read_text().count("Malicious")))] if path.exists() else []


CHEATS = {
    "table": by_table,
    "metadata": by_metadata,
    "column-metadata": by_column_metadata,
    "file-beside": beside("labels.json"),
    "truth": beside("..", "truth", "incidents.json"),
    "manifest": beside("..", "recording.json"),
    "folder-name": by_folder,
    "labelled-log": by_zeek,
}


@pytest.mark.parametrize("name", CHEATS)
def test_one_that_reads_labels_fails(looks, sound, tmp_path, name):
    row = probing._canary(looks(CHEATS[name]), sound, tmp_path)
    assert row["status"] == "failed"
    assert "labels" in row["found"]


def test_one_that_reads_labels_only_where_there_is_no_traffic_fails_too(looks, sound, tmp_path):
    def cheat(telemetry):
        return by_table(telemetry) if not len(telemetry["flows"]) else honest(telemetry)

    row = probing._canary(looks(cheat), sound, tmp_path)
    assert (row["status"], "without any traffic" in row["found"]) == ("failed", True)


def test_one_that_never_finds_anything_passes_and_is_told_how_little_that_says(looks, sound, tmp_path):
    row = probing._canary(looks(lambda _telemetry: []), sound, tmp_path)
    assert (row["status"], "this proves little" in row["found"]) == ("passed", True)


def test_labels_lie_in_opposite_ways(sound, tmp_path):
    one, other = ([row["label"] for row in probe_cases._accused(sound, liar)] for liar in (0, 1))
    assert len(one) == 6
    assert all(a != b for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize(
    ("statuses", "code"),
    [(("passed",), 0), (("passed", "unsupported"), 3), (("unsupported", "failed"), 1), (("failed",), 1)],
)
def test_a_failed_probe_breaks_and_an_unjudged_one_proves_nothing(statuses, code, capsys):
    rows = [
        {"probe": "x", "asks": "Does it?", "status": one, "found": "\x1b[2J", "findings": 0, "seconds": 1.0}
        for one in statuses
    ]
    found = {"detector": "mine", "version": "1", "needs": [], "probes": rows}
    assert exit_code(found) == code
    print_probes(found)
    said = capsys.readouterr().out
    assert f"{statuses.count('failed')} failed" in said
    assert "\x1b" not in said


def test_a_look_that_takes_too_long_is_ended_and_the_next_one_is_made_anew(tmp_path, sound):
    body = "import time\n\n\nclass Mine:\n    name, version, needs = 'mine', '1', ()\n\n    def detect(self, telemetry):\n        if telemetry.partial: time.sleep(600)\n        return ()\n"
    (tmp_path / "mine.py").write_text(body)
    looks = Looks(f"python:{tmp_path / 'mine.py'}:Mine", 40.0)
    try:
        assert looks.at(sound).status == "scored"
        looks.seconds = 1.0
        assert looks.at(Telemetry(sound.tables, sound.span, partial="cut")) == Answer("hung", "no answer within 1 s")
        looks.seconds = 40.0
        assert looks.at(sound).status == "scored"
    finally:
        looks.end()


def test_a_process_that_dies_is_told(sound):
    looks = Looks("silent", 40.0)
    try:
        assert looks.at(sound).status == "scored"
        looks.process.kill()
        looks.process.join()
        assert looks.at(sound) == Answer("hung", "its process died")
    finally:
        looks.end()


def test_a_detector_that_does_not_exist_is_told():
    with pytest.raises(LookupError, match="unknown detector 'nobody'"):
        probe("nobody", lambda _done, _total: None)


def test_a_bundled_detector_is_probed_whole():
    steps = []
    found = probe("timing-only", lambda done, total: steps.append((done, total)))
    assert [row["status"] for row in found["probes"]] == ["passed"] * 4
    assert found["passed"] is True
    assert exit_code(found) == 0
    assert steps[-1] == (4, 4)
    assert found["probes"][2]["findings"] > 0
