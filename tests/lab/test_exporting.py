"""A stored scorecard, read, narrowed, and written in every format."""

import json
from pathlib import Path

import pytest

from lab.errors import EvidenceError
from lab.exporting import BUNDLED, FORMATS, Export, against, export, narrowed, places, read
from lab.gate.specimen import card_of, specimen

ROOT = Path(__file__).parents[2]


def store(path, card):
    path.write_text(json.dumps(card))
    return path


@pytest.fixture
def card():
    return card_of(specimen())


def test_a_run_folder_and_its_scorecard_are_the_same(tmp_path, card):
    path = store(tmp_path / "scorecard.json", card)
    assert read(tmp_path) == read(path) == card


def test_a_run_that_is_no_evidence_is_read_and_a_contradiction_is_not(tmp_path, card):
    none = {**card_of(specimen()[:1]), "detectors": {}, "incidents": [], "judgements": [], "played": []}
    none["trials"] = {"scored": 0, "unsupported": 0, "failed": 0}
    assert read(store(tmp_path / "none.json", none)) == none
    card["trials"]["scored"] += 1
    with pytest.raises(EvidenceError, match="trials: found 13 scored, but 12 under detectors"):
        read(store(tmp_path / "bad.json", card))


@pytest.mark.parametrize("content", ["[]", "{}", '{"schema_version": 99}', "NaN", "{", ""])
def test_what_is_no_scorecard_is_refused(tmp_path, content):
    path = tmp_path / "x.json"
    path.write_text(content)
    with pytest.raises(EvidenceError):
        read(path)


def test_narrowed_to_a_detector_and_view(card):
    card["detectors"]["other"] = {"views": {"full": {**card["detectors"]["specimen"]["views"]["full"]}}}
    card["trials"]["scored"] = 24
    found = narrowed(card, ["other"], ["full"])
    assert list(found["detectors"]) == ["other"]
    assert (found["incidents"], found["trials"]["scored"]) == ([], 12)
    assert narrowed(card, [], []) == card
    assert len(narrowed(card, ["specimen"], [])["incidents"]) == len(card["incidents"])


@pytest.mark.parametrize(("detectors", "views"), [(["nobody"], []), ([], ["x-ray"])])
def test_what_is_not_there_is_no_evidence(card, detectors, views):
    with pytest.raises(EvidenceError, match="in this scorecard, which has"):
        narrowed(card, detectors, views)


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_written_and_the_same_twice(card, name):
    files = export(Export(card), name)
    assert len({one.name for one in files}) == len(files) >= 1
    assert files == export(Export(json.loads(json.dumps(card))), name)
    assert all(one.text == (name != "parquet") for one in files)


def test_a_baseline_of_another_detector_is_held_against_it_where_each_has_one(card):
    old = card_of(specimen())
    for part in ("incidents", "judgements"):
        old[part] = [{**row, "detector": "builtin"} for row in old[part]]
    old["detectors"] = {"builtin": old["detectors"]["specimen"]}
    found = against(old, card, ["full"])
    assert {row["detector"] for row in found["incidents"]} == set(found["detectors"]) == {"specimen"}
    old["detectors"]["another"] = old["detectors"]["builtin"]
    with pytest.raises(EvidenceError, match="no detector specimen in this scorecard, which has another, builtin"):
        against(old, card, [])
    result = json.loads(export(Export(card, found), "sarif")[0].content)["runs"][0]["results"]
    assert {one["baselineState"] for one in result} == {"unchanged"}


def test_an_unknown_format_names_the_known(card):
    with pytest.raises(LookupError, match="known are junit, sarif"):
        export(Export(card), "xls")


def named(card, name):
    card["detectors"] = {name: card["detectors"]["specimen"]}
    return card


def test_rules_of_the_bundled_detector_are_its_thresholds(card, tmp_path):
    lines = (ROOT / BUNDLED).read_text().split("\n")
    found = places(named(card, "builtin"), tmp_path)
    for analytic in ("AN1793", "AN1702"):
        place = found["builtin", analytic]
        assert (place.uri, place.base) == (BUNDLED, "DROIDRANGE")
        assert lines[place.line - 1].startswith("threshold =")
        assert lines.index(f"[{analytic}]") < place.line


def test_rules_of_a_file_are_the_line_that_names_the_analytic(card, tmp_path):
    (tmp_path / "my rules").mkdir()
    (tmp_path / "my rules/a.rules").write_text("# mine\nalert tcp any any (msg:AN1793;)\n")
    found = places(named(card, "suricata:my rules/a.rules"), tmp_path)
    place = found["suricata:my rules/a.rules", "AN1793"]
    assert (place.uri, place.base, place.line) == ("my%20rules/a.rules", "SRCROOT", 2)
    assert found["suricata:my rules/a.rules", "AN1702"].line == 0
    outside = places(named(card_of(specimen()), "suricata:../a.rules"), tmp_path / "my rules")
    assert {(one.base, one.uri) for one in outside.values()} == {("DROIDRANGE", "detector/adapters/suricata.py")}


def test_rules_elsewhere_are_an_address(card, tmp_path):
    (tmp_path / "a.rules").write_text("AN1702\n")
    name = f"suricata:{tmp_path / 'a.rules'}"
    place = places(named(card, name), ROOT)[name, "AN1702"]
    assert (place.uri, place.base, place.line) == ((tmp_path / "a.rules").as_uri(), "", 1)


def test_rules_of_another_adapter_are_the_adapter(card, tmp_path):
    assert (
        places(named(card, "zhang-paxson"), tmp_path)["zhang-paxson", "AN1793"].uri
        == "detector/adapters/zhang_paxson.py"
    )
    assert places(named(card_of(specimen()), "nobody"), tmp_path) == {}
