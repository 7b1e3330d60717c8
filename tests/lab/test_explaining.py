"""Questions from incidents and places, and answers of detectors that can explain themselves and of those that cannot."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, replace
from pathlib import Path

import pyarrow as pa
import pytest

from detector.contract import SCHEMAS, Reason, Telemetry
from detector.explanation import About, Counterfactual, Explanation, Factor
from lab import explaining
from lab.detection import Look
from lab.explaining import explain, explain_looks, explain_missed, questions


@dataclass
class Explainer:
    """A detector that keeps what it was asked."""

    asked: list
    outcome: str = "below"
    name: str = "builtin"
    version: str = "1"
    needs: tuple = ()

    def detect(self, _telemetry):
        return ()

    def explain(self, telemetry, about):
        self.asked.append((telemetry, about))
        factor = Factor("clock", 0.4, "below 0.5", 0.3, 0.1)
        change = Counterfactual("clock", 0.4, 0.7, 0.6, "clock 0.7 instead of 0.4 would have fired")
        return Explanation(about, self.outcome, "scored 0.5", 0.5, 0.6, (factor,), change)


class Mute:
    name, version, needs = "mute", "1", ()

    def detect(self, _telemetry):
        return ()


@pytest.fixture
def truth(make):
    one, two = make.incident(), make.incident(incident="phone-01/com.example.torch/relay", analytic="AN1702")
    return make.truth(one, two, further={"2001:db8::1": "phone-01"})


@pytest.fixture
def telemetry(make):
    row = dict.fromkeys(SCHEMAS["flows"].names)
    row |= {"flow": 0, "device": "phone-01", "uid": 10101, "package": "com.example.torch", "inbound": False}
    row |= {"start": make.START, "end": make.START + 1, "server": "198.18.0.7", "name": "api.vendor.example"}
    table = pa.Table.from_pylist([row], schema=SCHEMAS["flows"])
    return Telemetry({"flows": table}, span=(make.START, make.START + make.HOUR))


def test_an_incident_becomes_who_where_and_when_and_no_word_more(truth, telemetry, make):
    (asked,) = questions("phone-01/com.example.torch/http-poll", telemetry, truth, [])
    about = asked.about
    assert about == About(
        analytic="AN1793",
        devices=("phone-01", "10.88.0.11", "2001:db8::1"),
        uid=10101,
        package="com.example.torch",
        peers=("api.vendor.example", "198.18.0.7"),
        first=make.START,
        last=make.START + 24 * make.HOUR,
    )
    assert {field.name for field in fields(About)} == {
        "analytic",
        "devices",
        "uid",
        "package",
        "peers",
        "first",
        "last",
    }
    one = Explainer([])
    explain(one, telemetry, [asked], [])
    assert one.asked == [(telemetry, about)], "the incident's name, behaviour and settings stay here"


def test_a_relay_is_asked_about_without_peers(truth, telemetry):
    (asked,) = questions("phone-01/com.example.torch/relay", telemetry, truth, [])
    assert (asked.about.analytic, asked.about.peers) == ("AN1702", ())


def test_missed_are_those_without_an_alert(truth, telemetry, make):
    polling, relay = (one.incident for one in truth.incidents)

    def missed(*findings):
        return [one.incident for one in questions("missed", telemetry, truth, findings)]

    assert missed() == [one.incident for one in questions("all", telemetry, truth, [])] == [polling, relay]
    assert missed(make.finding(alert=False)) == [polling, relay]
    assert missed(make.finding()) == [relay]
    assert [one.question.incident for one in explain_missed(Mute(), telemetry, truth, [make.finding()])] == [relay]


def test_a_place_is_asked_about_over_the_whole_span(telemetry, truth):
    (one,) = questions("phone-01/com.example.torch/api.vendor.example", telemetry, None, [])
    assert one.incident is None
    assert (one.about.devices, one.about.package) == (("phone-01",), "com.example.torch")
    assert (one.about.peers, (one.about.first, one.about.last)) == (("api.vendor.example",), telemetry.span)
    both = questions("10.88.0.11/-", telemetry, truth, [])
    assert [asked.about.analytic for asked in both] == ["AN1793", "AN1702"]
    assert both[0].about.devices == ("10.88.0.11", "phone-01")
    assert both[0].about.package is None


@pytest.mark.parametrize("word", ["nonsense", "", "/x", "phone-01/", "missed"])
def test_a_word_that_means_nothing_is_refused(telemetry, truth, word):
    with pytest.raises(LookupError, match="a capture has no truth"):
        questions(word, telemetry, None, [])
    if word != "missed":
        with pytest.raises(LookupError, match="expected an incident"):
            questions(word, telemetry, truth, [])


@pytest.mark.parametrize("known", [True, False])
def test_a_device_that_nobody_knows_is_refused_with_the_nearest(telemetry, truth, known):
    """What a recording's truth names may be unseen in a view, and is asked about; a capture knows what it shows."""
    with pytest.raises(LookupError, match=r"found device 'phone-0l', expected one of .*did you mean 'phone-01'"):
        questions("phone-0l/-", telemetry, truth if known else None, [])
    assert questions("phone-01/-", telemetry, truth if known else None, [])


def test_a_misspelt_incident_is_no_place(telemetry, truth):
    with pytest.raises(LookupError, match=r"did you mean 'phone-01/com\.example\.torch/http-poll'"):
        questions("phone-01/com.example.torch/http-polll", telemetry, truth, [])


def test_a_detector_that_explains_is_quoted_and_one_that_cannot_shows_its_findings(truth, telemetry, make):
    asked = questions("all", telemetry, truth, [])
    told = explain(Explainer([]), telemetry, asked, [make.finding(alert=False)], source="x")
    assert [one.outcome for one in told] == ["below", "below"]
    assert [len(one.findings) for one in told] == [1, 0]
    mute = explain(Mute(), telemetry, asked, [make.finding()])
    assert [(one.explains, one.outcome) for one in mute] == [(False, "alert"), (False, "silent")]
    row = json.loads(told[0].line())
    assert (row["input"], row["analytic"], row["score"]) == ("x", "AN1793", 0.5)
    assert row["counterfactual"]["factor"] == row["factors"][0]["name"] == "clock"
    assert row["seen"] == {"flows": 1, "exchanges": 0, "lookups": 0}
    assert json.loads(mute[1].line())["factors"] is None


def test_an_exception_stands_in_the_outcome(truth, telemetry, make):
    asked = questions("phone-01/com.example.torch/http-poll", telemetry, truth, [])
    excepted = replace(make.finding(alert=False), reasons=(Reason("exception", "Blue", "absent", 0.0, "t"),))
    (one,) = explain(Explainer([], "alert"), telemetry, asked, [excepted])
    assert one.outcome == "excepted"
    (two,) = explain(Explainer([], "alert"), telemetry, asked, [excepted, make.finding()])
    assert two.outcome == "alert"


def test_looks_are_asked_one_by_one_with_the_findings_of_each_detector(telemetry, truth, make, monkeypatch):
    monkeypatch.setattr(explaining, "truth_at", lambda *_, **__: truth)
    other = replace(make.finding(), detector="mute")
    look = Look(Path("x"), telemetry, (Explainer([]), Mute()), (make.finding(), other))
    answers = explain_looks([look], "missed", allow_partial=False)
    assert [(one.detector, one.question.about.analytic) for one in answers] == [
        ("builtin", "AN1702"),
        ("mute", "AN1702"),
    ]


def test_a_capture_has_no_truth(tmp_path):
    assert explaining.truth_at(tmp_path / "a.pcap", allow_partial=False) is None
