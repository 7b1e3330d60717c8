"""A recording that is not proved is refused: every way to damage one, and the words of the refusal."""

from __future__ import annotations

import json
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from detector.contract import open_telemetry
from lab.errors import EvidenceError
from lab.recording import MANIFEST, open_recording, recording_hash, recording_name, seal, write_json, write_parquet
from lab.stages.wire import play

CAPTURE = "telemetry/capture.pcap"


@pytest.fixture(scope="module")
def pristine(tmp_path_factory):
    return tmp_path_factory.mktemp("pristine") / "rec"


@pytest.fixture
def folder(pristine, tiny, tmp_path):
    if not pristine.exists():
        play(tiny, pristine)
    return shutil.copytree(pristine, tmp_path / "rec")


def edit(folder, change):
    manifest = json.loads((folder / MANIFEST).read_text())
    change(manifest)
    (folder / MANIFEST).write_text(json.dumps(manifest))


def entry(folder, **changes):
    edit(folder, lambda manifest: manifest["files"][CAPTURE].update(changes))


def renamed(folder, name):
    edit(folder, lambda manifest: manifest["files"].update({name: manifest["files"].pop(CAPTURE)}))


def flipped(path):
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def linked(folder):
    elsewhere = folder.parent / "elsewhere.pcap"
    (folder / CAPTURE).rename(elsewhere)
    (folder / CAPTURE).symlink_to(elsewhere)


def linked_folder(folder):
    (folder / "telemetry").rename(folder.parent / "elsewhere")
    (folder / "telemetry").symlink_to(folder.parent / "elsewhere")


FILES = {
    "cut capture": (lambda f: (f / CAPTURE).write_bytes((f / CAPTURE).read_bytes()[:-1]), "capture.pcap: found bytes"),
    "flipped capture": (lambda f: flipped(f / CAPTURE), "capture.pcap: found sha256"),
    "flipped truth": (lambda f: flipped(f / "truth/conn.log.labeled"), "conn.log.labeled: found sha256"),
    "lost table": (lambda f: (f / "telemetry/sockets.parquet").unlink(), "sockets.parquet: not found, expected"),
    "other count": (lambda f: entry(f, packets=1), ", expected 1"),
    "other size": (lambda f: entry(f, bytes=1), "expected 1"),
    "other hash": (lambda f: entry(f, sha256="0" * 64), "found sha256"),
    "rows for packets": (lambda f: entry(f, rows=3), "found rows None, expected 3"),
    "a stranger in the lab": (lambda f: ((f / "lab").mkdir(), (f / "lab/x").write_text("x")), "does not list it"),
    "a stranger": (lambda f: (f / "telemetry/truth.parquet").write_text("x"), "does not list it"),
    "a linked file": (linked, "symbolic link"),
    "a linked folder": (linked_folder, "symbolic link"),
    "a folder for a file": (lambda f: ((f / CAPTURE).unlink(), (f / CAPTURE).mkdir()), "no regular file"),
    "not complete": (lambda f: edit(f, lambda m: m.update(complete=False)), "complete False, expected true"),
    "silent about it": (lambda f: edit(f, lambda m: m.pop("complete")), "complete None, expected true"),
}

MANIFESTS = {
    "no manifest": (lambda f: (f / MANIFEST).unlink(), "never finished"),
    "cut manifest": (lambda f: (f / MANIFEST).write_text("{"), "unreadable"),
    "no object": (lambda f: (f / MANIFEST).write_text("[]"), "schema_version"),
    "deep nesting": (lambda f: (f / MANIFEST).write_text("[" * 100_000), "unreadable"),
    "another schema": (lambda f: edit(f, lambda m: m.update(schema_version=2)), "found schema_version 2, expected 1"),
    "no seed": (lambda f: edit(f, lambda m: m.pop("seed")), "seed: found None"),
    "a true seed": (lambda f: edit(f, lambda m: m.update(seed=True)), "seed: found True"),
    "no files": (lambda f: edit(f, lambda m: m.update(files=[])), "files: found"),
    "no size": (lambda f: edit(f, lambda m: m["files"][CAPTURE].pop("bytes")), "expected bytes, sha256"),
    **{
        f"name {name}": (lambda f, name=name: renamed(f, name), "found file name")
        for name in (
            "../capture.pcap",
            "telemetry/../../capture.pcap",
            "/etc/hostname",
            "telemetry/.hidden",
            "telemetry/CON",
            "telemetry/a\0b",
            "telemetry//capture.pcap",
            "telemetry/" + "x" * 101,
            "elsewhere/capture.pcap",
            "telemetry",
            "telemetry/\uff43apture.pcap",
        )
    },
}


@pytest.mark.parametrize("name", FILES)
def test_a_damaged_recording_is_refused_and_partial_says_why(folder, name):
    damage, words = FILES[name]
    assert open_recording(folder).partial is None, "the control must open"
    damage(folder)
    with pytest.raises(EvidenceError) as refused:
        open_recording(folder)
    assert words in str(refused.value)
    assert "record it again" in str(refused.value)
    partial = open_recording(folder, allow_partial=True).partial
    assert partial is not None
    assert words in partial


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_manifest_that_cannot_be_trusted_is_refused_even_for_partial_reading(folder, name):
    damage, words = MANIFESTS[name]
    damage(folder)
    for allowed in (False, True):
        with pytest.raises(EvidenceError) as refused:
            open_recording(folder, allow_partial=allowed)
        assert words in str(refused.value)


def test_derived_caches_are_none_of_its_business(folder):
    (folder / "telemetry/derived").mkdir()
    (folder / "telemetry/derived/flows.parquet").write_text("cache")
    assert open_recording(folder).partial is None


def test_any_bit_of_any_file_changes_what_is_proved(folder):
    opened = open_recording(folder)
    for name in opened.files:
        flipped(folder / name)
        with pytest.raises(EvidenceError, match=name.rsplit("/", 1)[1].replace(".", r"\.")):
            open_recording(folder)
        flipped(folder / name)
    assert open_recording(folder) == opened


def test_hash_is_that_of_the_manifest_which_holds_no_clock(folder, tiny, tmp_path):
    later = play(tiny, tmp_path / "later")
    assert recording_hash(later) == recording_hash(folder)
    assert open_recording(folder).summary()["sha256"] == recording_hash(folder)


def test_equal_tables_give_equal_bytes(tmp_path):
    table = pa.table({"a": [1, 2, 3], "b": ["x", None, "y"]})
    write_parquet(tmp_path / "one.parquet", table)
    write_parquet(tmp_path / "two.parquet", table.replace_schema_metadata({"made": "now"}))
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()
    assert pq.read_table(tmp_path / "one.parquet").equals(table)


def test_json_refuses_what_is_no_json(tmp_path):
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(tmp_path / "a.json", {"score": float("nan")})
    assert list(tmp_path.iterdir()) == []


def test_a_name_follows_the_rule(tmp_path):
    assert recording_name(tmp_path / "core-s1") == "core-s1"
    with pytest.raises(ValueError, match="found 'Core'"):
        recording_name(tmp_path / "Core")


def test_what_a_writer_measured_on_the_way_is_what_reading_it_again_finds(folder):
    about = json.loads((folder / MANIFEST).read_text())
    claimed = about["files"][CAPTURE]
    (folder / MANIFEST).unlink()
    seal(folder, {name: value for name, value in about.items() if name not in {"files", "tools", "complete"}})
    assert open_recording(folder).files[CAPTURE] == claimed
    assert json.loads((folder / MANIFEST).read_text()) == about


def test_a_recording_may_be_reached_through_a_link(tiny, tmp_path):
    play(tiny, tmp_path / "rec")
    (tmp_path / "latest").symlink_to(tmp_path / "rec")
    assert open_recording(tmp_path / "latest").partial is None


@pytest.mark.parametrize("span", ["NaN", "Infinity", "-1", "0", "1e300"])
def test_a_span_that_is_none_is_refused(tiny, tmp_path, span):
    folder = play(tiny, tmp_path / "rec")
    manifest = json.loads((folder / "recording.json").read_text())
    manifest["span_s"] = "@@"
    (folder / "recording.json").write_text(json.dumps(manifest).replace('"@@"', span))
    with pytest.raises(EvidenceError, match="span_s"):
        open_recording(folder, allow_partial=True)


def resealed(folder, **how):
    manifest = json.loads((folder / MANIFEST).read_text())
    about = {name: value for name, value in manifest.items() if name not in {"files", "tools", "complete"}}
    (folder / MANIFEST).unlink()
    seal(folder, about, **how)


def test_what_was_not_complete_is_refused_with_its_reason(folder):
    resealed(folder, reason="the gateway died")
    with pytest.raises(EvidenceError, match=r"found complete False, expected true \(the gateway died\)"):
        open_recording(folder)
    with pytest.raises(EvidenceError, match="found complete False"):
        open_telemetry(folder)
    read_on = open_recording(folder, allow_partial=True)
    assert "the gateway died" in read_on.summary()["partial"]
    resealed(folder)
    assert open_recording(folder).summary()["partial"] is None


def test_how_it_was_made_is_proved_but_never_shown_to_a_detector(folder):
    before = open_telemetry(folder)
    (folder / "lab").mkdir()
    (folder / "lab/run.json").write_text('{"speed": 60}\n')
    shutil.copy(folder / "truth/flows.parquet", folder / "lab/http.parquet")
    shutil.copy(folder / CAPTURE, folder / "lab/capture.pcap")
    resealed(folder)
    assert open_recording(folder).files["lab/run.json"]["rows"] == 1
    after = open_telemetry(folder)
    assert after.tables == before.tables
    assert after.capture == folder / CAPTURE
    flipped(folder / "lab/run.json")
    with pytest.raises(EvidenceError, match=r"run\.json: found sha256"):
        open_recording(folder)


def test_summary_names_stage_and_speed(folder):
    summary = open_recording(folder).summary()
    assert (summary["stage"], summary["speed"]) == ("wire", 1)
