"""Scorecards for exporters: every ending a trial can have, and any text where traffic or a detector may bring one in."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

from detector.contract import Reason
from lab.gate.again import command
from lab.gate.specimen import card_of, specimen
from lab.report.cases import cases

TEXTS = (
    "\n::error::planted",
    "a|b|c\n# heading\n- item",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "[x](javascript:alert(1)) ![i](http://evil.example/i) <http://evil.example> www.evil.example",
    "`code` ``more`` *b* _i_ ~~s~~ | |",
    '=HYPERLINK("http://evil.example","x")',
    " =1+1",
    "@SUM(1)",
    "-2+3",
    "\x00\x08\x1b[31m\x7f\x85\ufffe\uffff",
    "\ud800lone\udfff",
    "\u202egnp.exe\u2066",
    "]]><x/>&lt;&amp;\"'",
    "::add-mask::x ##[error]y %0A::warning::z",
    "{0} {1} see [here](0)",
    "",
    " ",
    "\\",
    "\\|",
    "x" * 5000,
)


NAMES = ("scenario", "incident", "behaviour", "device", "package", "category", "peer", "detector", "reason")


def endings():
    """Trials of every ending: missed, not judged, unseen, unsupported, failed, lost; and a false alarm."""
    trials = specimen()
    reason = Reason("period_s", 300.0, "no one period", 1.0, "equal gaps")
    quiet = replace(trials[0].findings[0], score=0.4, alert=False, reasons=(reason,))
    alarm = replace(trials[0].findings[0], package="com.example.news", uid=10103, score=0.91, reasons=(reason,))
    trials[0] = replace(trials[0], findings=(quiet, alarm))
    trials[1] = replace(trials[1], status="failed", findings=(), reason="crashed")
    trials[2] = replace(trials[2], status="unsupported", findings=(), reason="no sockets")
    trials[3] = replace(trials[3], judged=("AN1793",), findings=trials[3].findings[:1])
    trials[4] = replace(trials[4], findings=(), unseen=tuple(one.incident for one in trials[4].truth.incidents))
    trials[5] = replace(trials[5], status="failed", findings=(), truth=None, reason="recording lost")
    return trials


def spoken(card, text):
    """The scorecard with that text at the end of every name that traffic, a scenario or a detector may bring in."""
    made = json.loads(json.dumps(card))
    for part in ("incidents", "false_alarms", "blind_spots", "unscored", "played", "judgements"):
        for row in made[part]:
            row.update({name: row[name] + text for name in NAMES if isinstance(row.get(name), str)})
            for reason in row.get("reasons", ()):
                reason.update({name: reason[name] + text for name in ("feature", "expected", "text")})
    made["detectors"] = {name + text: whole for name, whole in made["detectors"].items()}
    made["suite"] += text
    return made


@pytest.fixture(scope="session")
def exports():
    """exports.card(text), exports.cases(card), exports.texts, exports.clean (all scored and detected), exports.again."""
    return SimpleNamespace(
        card=lambda text="": spoken(card_of(endings()), text),
        clean=lambda: card_of(specimen()),
        cases=lambda card: cases(card, command),
        again=command,
        texts=TEXTS,
    )
