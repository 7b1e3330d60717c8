"""JUnit XML, read as its readers do; Windy Road's and Jenkins' schemas are followed as far as both go (from memory)."""

import re
from xml.etree import ElementTree as ET

import pytest

from lab.report.junit import junit

SUITE = {"name", "tests", "failures", "errors", "skipped", "time", "timestamp", "hostname"}
CASE = {"classname", "name", "time"}
ENDS = {"failure": {"message", "type"}, "error": {"message", "type"}, "skipped": {"message"}}


def faults(content):
    """Every deviation from the structure."""
    root = ET.fromstring(content)
    order = [child.tag for child in root]
    cases = root.findall("testcase")
    found = [] if root.tag == "testsuite" and set(root.attrib) == SUITE else ["root"]
    found += [] if order == ["properties", *["testcase"] * len(cases), "system-out", "system-err"] else ["order"]
    found += [] if re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", root.get("timestamp", "")) else ["timestamp"]
    ends = [end for case in cases for end in case]
    found += ["case" for case in cases if set(case.attrib) != CASE or len(case) > 1]
    found += [end.tag for end in ends if set(end.attrib) != ENDS.get(end.tag)]
    counts = {"tests": len(cases)}
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        counts[name] = sum(end.tag == tag for end in ends)
    found += [name for name, count in counts.items() if root.get(name) != str(count)]
    names = [(case.get("classname"), case.get("name")) for case in cases]
    return found + ([] if len(set(names)) == len(names) else ["names"])


def made(exports, text=""):
    card = exports.card(text)
    return junit(card, exports.cases(card))


def test_structure(exports):
    assert faults(made(exports)) == []
    clean = exports.clean()
    content = junit(clean, exports.cases(clean))
    assert faults(content) == []
    assert ET.fromstring(content).get("errors") == "0"


def test_a_breach_of_the_structure_is_found(exports):
    content = made(exports)
    assert faults(content.replace(b' hostname="localhost"', b"")) == ["root"]
    assert faults(content.replace(b'failures="2"', b'failures="1"')) == ["failures"]
    assert "case" in faults(content.replace(b"<system-err />", b"").replace(b'classname="', b'class="', 1))


def test_each_ending_in_its_form(exports):
    root = ET.fromstring(made(exports))
    assert {name: root.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "24",  # the 23 cases, and that the run is no evidence
        "failures": "2",
        "errors": "4",
        "skipped": "5",
    }
    failure = root.find("testcase/failure")
    assert failure is not None
    assert failure.get("message") == "missed: best score 0.40, no alert that counts"
    assert "\n  droidrange run specimen-00 --seed 1 " in failure.text
    whole = root.find("testcase[@name='evidence']/error")
    assert whole.text == "This run is no evidence: 2 of 12 trials failed."


def test_numbers_are_properties(exports):
    root = ET.fromstring(made(exports))
    told = {one.get("name"): one.get("value") for one in root.iter("property")}
    assert told["budget_per_device_day"] == "0.001"
    assert told["specimen.full.AN1793.recall"] == "0.778"
    assert told["trials.failed"] == "2"


def test_hostile_text_leaves_the_structure(exports):
    for text in exports.texts:
        assert faults(made(exports, text)) == []
    plain = len(list(ET.fromstring(made(exports)).iter()))
    hostile = {len(list(ET.fromstring(made(exports, text)).iter())) for text in exports.texts}
    assert hostile == {plain}


def test_raw_text_would_not_be_read(exports):
    with pytest.raises(ET.ParseError):
        ET.fromstring("<a>\x08</a>")
    with pytest.raises(UnicodeEncodeError):
        "\ud800".encode()


def test_the_same_card_gives_the_same_bytes(exports):
    assert made(exports) == made(exports)
