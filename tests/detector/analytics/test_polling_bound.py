"""The bound of many scores at once: never below a score, so no finding is lost; low enough to spare most judgements."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from detector.analytics import command_polling
from detector.analytics.polling_bound import PollingBound
from detector.analytics.polling_evidence import survey
from detector.analytics.polling_score import judge
from detector.contacts import Merging, all_of, flow_contacts, outbound_rows
from detector.contract import detector
from detector.thresholds import load_thresholds

LIMITS = load_thresholds().polling


def scored(telemetry):
    """Bound and score of every group, both in the order of groups."""
    known, bounds = survey(telemetry), {}
    bound = PollingBound(known, LIMITS)

    def noted(crowd):
        bounds.update(zip(crowd.group.tolist(), bound.scores(crowd).tolist(), strict=True))
        return all_of(crowd)

    rows = outbound_rows(known.flows, known.lookups, LIMITS.ignored_ports)
    merging = Merging(LIMITS.merge_gap_s, LIMITS.connection_frequency_threshold)
    scores = []
    for contacts in flow_contacts(known.flows, rows, telemetry.tables.get("exchanges"), merging, noted):
        app = known.inventory.find(contacts.device, contacts.uid, contacts.package)
        scores.append(judge(contacts, app, known, LIMITS).score)
    return [bounds[group] for group in sorted(bounds)], scores


def crowded(made, rng):
    """Groups of every kind: clocks, jitter, memoryless, bursts; alike or not in size; named, looked up, or neither."""
    for group in range(40):
        count = int(rng.integers(4, 40))
        period = rng.choice([1.0, 60.0, 900.0])
        gaps = [np.full(count, period), rng.uniform(0.5, 1.5, count) * period, rng.exponential(period, count)]
        who = {"device": f"phone-{group % 3:02d}", "uid": 10_000 + group % 4, "package": f"org.app{group % 4}"}
        name = rng.choice([None, f"h{group % 7}.example", "xk7qz9wv4tbr2hd.example"])
        proto = rng.choice([None, "tls", "imap"])
        ends = {"server": f"198.18.0.{group % 9}", "name": name, "app_proto": proto}
        ends["sni"] = name if proto == "tls" else None
        same = rng.random() < 0.5
        for moment in np.cumsum(gaps[group % 3]):
            down = 0 if group % 11 == 0 else 4000 if same and rng.random() < 0.9 else int(rng.integers(300, 90_000))
            made.flow(float(moment), up=900 if same else int(rng.integers(9_000)), down=down, **who, **ends)


@pytest.mark.parametrize("short", [False, True])
@pytest.mark.parametrize("known", ["flows", "states", "lookups", "packages"])
def test_no_score_exceeds_its_bound(made, rng, known, short):
    crowded(made, rng)
    if known == "states":
        for k in range(12):
            made.state(7200 * k, locked=k % 2 == 0, foreground=10_001)
    if known == "lookups":
        for k in range(9):
            made.lookup(k, f"h{k}.example", answers=(f"198.18.0.{k}",))
    if known == "packages":
        made.app(10_001, "org.app1", "tools")
        made.rows["packages"][0]["device"] = "phone-01"
    telemetry = made.telemetry()
    bounds, scores = scored(replace(telemetry, span=(0, 3_600_000_000)) if short else telemetry)
    assert len(bounds) == len(scores) > 20
    assert all(bound >= score for bound, score in zip(bounds, scores, strict=True))


def test_without_states_and_odd_facts_the_bound_is_near_the_score(made, rng):
    for group in range(20):
        sizes = rng.integers(300, 90_000, 20)
        for moment, size in zip(rng.uniform(0, 86_400, 20), sizes, strict=True):
            made.flow(float(moment), up=900, down=int(size), server=f"198.18.0.{group}", name=f"h{group}.d.example")
    bounds, scores = scored(made.telemetry())
    assert bounds == pytest.approx(scores, abs=1e-6)


def test_findings_are_the_same_and_most_groups_are_not_judged(made, rng, monkeypatch):
    for group in range(60):
        moments = 600 * np.arange(100) if group == 7 else np.sort(rng.uniform(0, 86_400, 8))
        for moment in moments:
            size = 4000 if group == 7 else int(rng.integers(300, 90_000))
            made.flow(float(moment), down=size, server=f"198.18.0.{group}", name=f"d{group}.example")
    telemetry, judged = made.telemetry(), []
    monkeypatch.setattr(command_polling, "judge", lambda *given: judged.append(1) or judge(*given))
    found = list(detector("builtin").detect(telemetry))
    spared = len(judged)
    monkeypatch.setattr(command_polling, "PollingBound", lambda *_: all_of)
    assert list(detector("builtin").detect(telemetry)) == found
    assert [finding.peer for finding in found if finding.alert] == ["d7.example"]
    assert (spared < 20, len(judged) - spared) == (True, 60)
