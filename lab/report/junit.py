"""A scorecard as JUnit XML: one test case for each incident, detector and view. Pure.

Missed is a failure, with the command that plays it again; unsupported and unseen are skipped, with why; a failed trial
is an error, and so is a run that is no evidence. JUnit has no standard: this is what its readers agree on (one
``testsuite`` as the root, properties first, a timestamp without offset). Times are the scenario's: there is no clock.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from lab.report.cases import Case, cells, counted
from lab.report.words import plain, rate
from lab.score import refusal

Row = Mapping[str, Any]
NEVER = "1970-01-01T00:00:00"
FORM = {"missed": "failure", "unseen": "skipped", "unsupported": "skipped", "failed": "error"}
METRICS = ("recall", "recall_at_budget", "false_alarms_per_device_day", "pr_auc")


def junit(card: Row, found: Sequence[Case]) -> bytes:
    """The file's content, UTF-8; ``found`` are the cases of that scorecard."""
    stop = refusal(card)
    count = counted(found)
    root = Element("testsuite", name=plain(f"droidrange {card['suite']}"))
    root.set("tests", str(len(found) + bool(stop)))
    root.set("failures", str(count["missed"]))
    root.set("errors", str(count["failed"] + bool(stop)))
    root.set("skipped", str(count["unseen"] + count["unsupported"]))
    root.set("time", "0")
    root.set("timestamp", _began(card))
    root.set("hostname", "localhost")
    properties = SubElement(root, "properties")
    for name, value in _properties(card):
        SubElement(properties, "property", name=plain(name), value=plain(value))
    if stop:
        whole = SubElement(root, "testcase", classname="droidrange", name="evidence", time="0")
        SubElement(whole, "error", message=plain(stop), type="no-evidence").text = plain(stop)
    for case in found:
        _case(root, case)
    SubElement(root, "system-out").text = "\n".join(
        plain(f"{case.name} ({case.scenario}, seed {case.seed}): {case.headline}")
        for case in found
        if case.status == "detected"
    )
    SubElement(root, "system-err")
    indent(root)
    content: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return content + b"\n"


def _began(card: Row) -> str:
    return min((row["start"][:19] for row in card["incidents"]), default=NEVER)


def _properties(card: Row) -> Iterator[tuple[str, str]]:
    """What the numbers rest on, and the numbers themselves, under detector.view.analytic.metric."""
    software = card["evidence"].get("software", {})
    yield "droidrange", str(software.get("droidrange", "unknown"))
    yield "attack", str(software.get("attack", "unknown"))
    yield "suite", card["suite"]
    yield "seeds", str(card["seeds"])
    yield "budget_per_device_day", f"{card['budget_per_device_day']:.12g}"
    for status, number in card["trials"].items():
        yield f"trials.{status}", str(number)
    for name, view in cells(card):
        for analytic, found in card["detectors"][name]["views"][view]["analytics"].items():
            for metric in METRICS:
                yield f"{name}.{view}.{analytic}.{metric}", rate(found[metric])


def _case(root: Element, case: Case) -> None:
    place = f"{case.detector}.{case.view}.{case.scenario}"
    made = SubElement(root, "testcase", classname=plain(place), name=plain(f"{case.name} (seed {case.seed})"), time="0")
    if case.status not in FORM:
        return
    form = FORM[case.status]
    end = SubElement(made, form, message=plain(case.headline))
    if form == "skipped":
        return
    end.set("type", case.status)
    lines = [case.headline, *case.told, "again:", f"  {case.command}"]
    end.text = "\n" + "\n".join(plain(line) for line in lines) + "\n"
