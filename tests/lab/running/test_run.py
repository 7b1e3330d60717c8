"""The run on disk: places, refusals, and what is read back."""

import json
from contextlib import contextmanager

import pyarrow as pa
import pytest

from lab.errors import EvidenceError
from lab.recording import recording_hash, seal, write_json, write_parquet
from lab.running.run import (
    case_name,
    findings_place,
    load_run,
    read_findings,
    read_run,
    report_folder,
    score_folder,
    write_run,
)
from lab.truth import write_truth


@pytest.fixture
def recording(make, tmp_path):
    folder = tmp_path / "recordings" / "polling-plain-s1"
    (folder / "telemetry").mkdir(parents=True)
    (folder / "truth").mkdir()
    known = {"device": ["phone-01"], "uid": [10101], "package": ["com.example.torch"], "category": ["tools"]}
    known |= {"sanctioned": [False], "roles": [[]]}
    write_parquet(folder / "telemetry/packages.parquet", pa.table(known))
    state = {"time": [make.START + make.HOUR, make.START], "device": ["phone-01"] * 2, "locked": [False, True]}
    write_parquet(folder / "telemetry/device_state.parquet", pa.table(state))
    truth = make.truth(make.incident())
    write_truth(truth, folder / "truth")
    name = truth.incidents[0].incident
    spoken = {
        "incident": [name, None, name, name],
        "behaviour": ["http-poll", "web-browsing", "http-poll", "name-lookup"],
        "start": [make.START + 5, 1, make.START, make.START],
        "end": [make.START + 9, 2, make.START, make.START],
    }
    write_parquet(folder / "truth/flows.parquet", pa.table(spoken))
    about = {"scenario": truth.scenario, "scenario_sha256": "0" * 64, "twin_of": "", "seed": 1, "stage": "wire"}
    seal(folder, {**about, "start": truth.start, "span_s": truth.span / 1e6, "speed": 1.0})
    return folder


@pytest.fixture
def run(recording, tmp_path):
    row = {"scenario": "polling-plain", "seed": 1, "stage": "wire", "view": "full", "detector": "builtin"}
    row["held_out"] = False
    lost = {"status": "failed", "reason": "boom", "detector_version": None, "judged": [], "findings_sha256": None}
    lost["unseen"] = []
    about = {"suite": "core", "seeds": [1], "stage": "wire", "budget": 0.001, "scenarios": {"polling-plain": "0" * 64}}
    write_run(tmp_path, {**about, "recordings": {"polling-plain-s1": recording_hash(recording)}}, [{**row, **lost}])
    return tmp_path


def edited(folder, **changes):
    content = read_run(folder)
    content["trials"][0] |= changes
    write_json(folder / "run.json", content)


def test_a_failed_trial_is_read_back_as_one(run):
    (one,) = load_run(run)
    assert (one.status, one.reason, one.findings) == ("failed", "boom", ())
    assert one.truth.incidents[0].behaviour == "http-poll"
    assert "1 of 1 trials failed" in score_folder(run).refusal


def test_an_unfinished_run_is_refused(tmp_path):
    with pytest.raises(EvidenceError, match="never finished"):
        load_run(tmp_path)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"schema_version": 2, "trials": []}', '{"schema_version": 1'])
def test_a_damaged_run_is_refused(tmp_path, content):
    (tmp_path / "run.json").write_text(content)
    with pytest.raises(EvidenceError, match="run it again"):
        read_run(tmp_path)


def test_a_score_without_its_findings_is_refused(run):
    edited(run, status="scored", findings_sha256="0" * 64)
    with pytest.raises(EvidenceError, match="says it was scored"):
        load_run(run)


def test_changed_findings_are_refused(run):
    edited(run, status="scored", findings_sha256="0" * 64)
    path = run / findings_place(read_run(run)["trials"][0])
    path.parent.mkdir(parents=True)
    path.write_text("")
    with pytest.raises(EvidenceError, match="changed since it was written"):
        load_run(run)


def test_a_trial_that_hides_what_it_judged_is_refused(run):
    content = read_run(run)
    del content["trials"][0]["judged"]
    write_json(run / "run.json", content)
    with pytest.raises(EvidenceError, match=r"which analytics it judged; run it again"):
        load_run(run)


def test_another_recording_is_refused(run):
    manifest = run / "recordings/polling-plain-s1/recording.json"
    write_json(manifest, {**json.loads(manifest.read_text()), "seed": 2})
    with pytest.raises(EvidenceError, match="another recording"):
        load_run(run)


def test_a_damaged_recording_says_what_mends_a_run(run):
    damaged = min(run.glob("recordings/*/t*/*.*"))
    damaged.write_bytes(damaged.read_bytes()[:-1])
    with pytest.raises(EvidenceError, match="run it again into the same folder") as caught:
        load_run(run)
    assert str(damaged) in str(caught.value)
    assert "--allow-partial" not in str(caught.value)


def test_a_report_needs_a_scorecard(run, tmp_path):
    with pytest.raises(EvidenceError, match="score the run first"):
        report_folder(run)
    score_folder(run)
    assert report_folder(run, tmp_path / "r.html").read_bytes() == (run / "report.html").read_bytes()


def test_how_far_the_scoring_is_is_told_part_by_part(run):
    told = []

    @contextmanager
    def phase(name):
        told.append(name)
        yield lambda done, of: told.append((done, of))

    score_folder(run, phase)
    assert told == ["read findings", (0, 1), "score", (0, 1), "report", (0, 1)]


def test_the_report_says_where_it_comes_from(run):
    score_folder(run)
    page = (run / "report.html").read_text()
    for words in ("recording polling-plain-s1", "scenario polling-plain", "v19.1"):
        assert words in page


@pytest.mark.parametrize("line", ["{", "[]", "3", "{}", '{"analytic": "AN1793"}', "\udcff"])
def test_a_bad_line_has_a_number(make, tmp_path, line):
    path = tmp_path / "findings.jsonl"
    good = json.dumps(make.finding().to_json()).encode()
    path.write_bytes(good + b"\n" + line.encode(errors="surrogateescape") + b"\n")
    with pytest.raises(EvidenceError, match="line 2"):
        read_findings(path)


def test_places():
    row = {"scenario": "a", "seed": 3, "detector": "image:../x:1", "view": "full"}
    assert case_name("a", 3) == "a-s3"
    place = findings_place(row)
    assert place.count("/") == 3
    assert ".." not in place.split("/")[2].split(".")
    assert place != findings_place({**row, "detector": "image_.._x_1"})
    assert findings_place({**row, "detector": "builtin"}) == "findings/a-s3/builtin/full.jsonl"


def test_a_trial_that_hides_whether_it_is_held_out_is_refused(run):
    content = read_run(run)
    del content["trials"][0]["held_out"]
    write_json(run / "run.json", content)
    with pytest.raises(EvidenceError, match=r"whether one may tune by it; run it again"):
        load_run(run)


def test_a_trial_that_hides_what_its_view_shows_is_refused(run):
    content = read_run(run)
    del content["trials"][0]["unseen"]
    write_json(run / "run.json", content)
    with pytest.raises(EvidenceError, match=r"which incidents its view shows; run it again"):
        load_run(run)


def test_the_mark_of_a_held_out_trial_reaches_scorecard_and_report(run):
    edited(run, held_out=True)
    card = score_folder(run).to_json()
    assert card["held_out"] == ["polling-plain"]
    assert card["unscored"][0]["held_out"] is True
    page = (run / "report.html").read_text()
    assert "held out: polling-plain. They only tell" in page
    assert "polling-plain (held out), seed 1" in page
    edited(run, held_out=False)
    assert score_folder(run).to_json()["held_out"] == []
    assert "held out" not in (run / "report.html").read_text()
