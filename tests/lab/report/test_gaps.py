"""Gaps: what a view hides is counted once an incident, however many detectors looked."""

from lab.report.gaps import Gap, gaps, lacking
from lab.score import score


def test_incidents_that_no_row_shows_are_counted_and_refusals_told(make):
    name = make.incident().incident
    trials = [make.trial(make.finding()), make.trial(view="no-sni", unseen=(name,))]
    trials += [make.trial(view="dns-only", status="unsupported", reason="no flows")]
    card = score(trials, suite="c", seeds=1, budget=0.001).to_json()
    assert gaps(card, ["builtin"]) == [
        Gap("full", "nothing", 0, 1, ()),
        Gap("no-sni", "names in TLS and look-ups (ECH, DNS over TLS or HTTPS)", 1, 1, ()),
        Gap("dns-only", "everything but look-ups", 0, 0, ("builtin: no flows",)),
    ]


def test_tables_that_hold_nothing_are_named():
    assert lacking({"http": 0, "flows": 3, "dns": 0}) == ["dns holds nothing", "http holds nothing"]
