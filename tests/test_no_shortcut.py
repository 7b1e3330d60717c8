"""Nothing but behaviour separates the classes (DESIGN section 8): the AUC of every column is within 0.5 +- 0.1.

Every suite on disk is judged as lab/catalogue/shortcuts.py says: what is drawn over so many seeds that the suite itself
suffices, what is written over all suites where a suite has too few apps to tell. `make test` judges core and smoke and,
over fewer seeds, full, which holds nearly all scenarios of the others; CI all of them (`whole`). Then every column is
given away once in core, completely, and some in full, mildly, to see that it would be caught. What the wire adds to a timeline (fields of
SYNs, ClientHellos, certificates, MACs, QUIC) is test_no_shortcut_wire.py's, on a sample.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from statistics import NormalDist

import numpy as np
import pytest

from lab.catalogue import shortcuts
from lab.catalogue.app_traits import app_rows
from lab.catalogue.columns import INTERVAL, LEAK, MANNERS, MARGIN, judged
from lab.catalogue.peer_traits import peer_rows
from lab.catalogue.shortcuts import evening, pool, pooled, reported
from lab.catalogue.traits import parts_of
from lab.scenario import suite_names, suite_scenarios

TABLES = {"apps": app_rows, "peers": peer_rows}
LABELLED = [name for name in suite_names() if any(one.analytics for one in suite_scenarios(name)[1])]
RANKS = {"rank among the popular", "rank in the tail"}  # of popular and tail hosts only, which few attacks speak to

SMALL = {"core", "smoke"}


def unfair(report):
    """What leaks, and what is spoken by attacks only; nothing is excused."""
    return [*(str(one) for one in report.columns if one.verdict == LEAK), *report.one_class]


@pytest.mark.parametrize(
    "suite", [name if name in SMALL else pytest.param(name, marks=pytest.mark.whole) for name in LABELLED]
)
def test_no_trait_of_a_suite_is_a_shortcut(suite):
    name, scenarios = suite_scenarios(suite)
    report = reported(name, scenarios)
    assert unfair(report) == []
    drawn = [one for one in report.columns if one.kind == "drawn" and one.column not in RANKS]
    assert max(INTERVAL * one.deviation for one in drawn) <= MARGIN, "more seeds"


@pytest.mark.whole
def test_all_suites_together_have_apps_enough_to_see_a_leak_of_any_column():
    """What a suite has too few apps for is judged here; what these are too few for does not look like a leak."""
    report = pool()
    assert unfair(report) == []
    assert report.doubtful(report) == ()
    assert {one.verdict for one in report.columns if one.among == "everybody" and one.column not in RANKS} == {"ok"}
    assert max(INTERVAL * one.deviation for one in report.columns) <= MARGIN
    assert min(one.malicious for one in report.columns if one.column not in RANKS) >= 60
    assert {one.name for suite in LABELLED for one in suite_scenarios(suite)[1]} <= {one.name for one in pooled()}


@cache
def core():
    _, scenarios = suite_scenarios("core")
    timelines = [(one, evening(one, seed)) for one in scenarios for seed in range(1, 5)]
    rows = {table: [row for one in timelines for row in read(*one)] for table, read in TABLES.items()}
    return parts_of(scenarios), rows, timelines


def traits():
    scenario = suite_scenarios("smoke-poll")[1][0]
    timeline = evening(scenario, 1)
    return [(table, name) for table, read in TABLES.items() for name in next(read(scenario, timeline)).traits]


@pytest.mark.parametrize(("table", "name"), traits())
def test_a_trait_that_is_given_away_is_caught_in_core(table, name):
    """The negative control, for every kind of column: whoever is malicious has a value in the middle of the others.

    Where the others have two values only, one beyond both.
    """
    parts, rows, _ = core()
    values = sorted((row.traits[name] for row in rows[table] if row.traits[name] is not None), key=str)
    middle = sum(map(float, values)) / len(values) if not isinstance(values[0], str) else 0.0
    beyond = len({*values}) == 2
    planted = "planted" if isinstance(values[0], str) else max(values) + 1.0 if beyond else middle + 0.0123
    leaky = [replace(row, traits={**row.traits, name: planted}) if row.malicious else row for row in rows[table]]
    found = {one.among: one for one in judged(table, leaky, parts, only=(name,))}
    assert {*found, "twins"} == ({"twins"} if name in MANNERS else {"everybody", "twins"})
    assert all(one.verdict == LEAK for among, one in found.items() if among == "everybody" or name not in RANKS), found


def mild(rows, name, auc, *, per_seed):
    """The rows with a leak of that AUC: a number half noise, or a word that malicious apps have more often."""
    rng, drawn = np.random.default_rng(7), {}
    apart = NormalDist().inv_cdf(auc) * 2**0.5
    word = any(isinstance(row.traits[name], str) for row in rows)
    found = []
    for row in rows:
        app = (row.pair if row.malicious else "", row.package, *((row.scenario, row.seed) if per_seed else ()))
        value = "planted" if rng.random() < 0.2 + (2 * auc - 1) * row.malicious else row.traits[name]
        value = drawn.setdefault(app, value if word else float(rng.normal(apart * row.malicious)))
        found.append(replace(row, traits={**row.traits, name: value}))
    return found


def test_full_is_fair_and_a_mild_leak_in_it_is_caught():
    """One of 0.7 and one of 0.75, in a number and a word, drawn and written, against everybody and against twins."""
    _, scenarios = suite_scenarios("full")
    cases = [shortcuts._Case(one.name, one.sha256, seed, one) for one in scenarios for seed in (1, 2)]
    found = [shortcuts._read(case) for case in cases]
    assert unfair(shortcuts._report("full", scenarios, 2, found)) == []
    rows = [row for one in found for row in one.tables["apps"]]
    for name, per_seed in (("uid", True), ("user agent", True), ("label length", False), ("category", False)):
        honest = judged("apps", rows, parts_of(scenarios), only=(name,))
        assert all(one.verdict != LEAK for one in honest), honest
        for auc in (0.7, 0.75):
            planted = mild(rows, name, auc, per_seed=per_seed)
            found = {one.among: one for one in judged("apps", planted, parts_of(scenarios), only=(name,))}
            assert {among: one.verdict for among, one in found.items()} == {"everybody": LEAK, "twins": LEAK}, found
            assert all(abs(one.auc - auc) < 0.08 for one in found.values()), found


def test_a_protocol_of_attacks_alone_is_caught(tmp_path):
    suite = tmp_path / "alone.toml"
    suite.write_text('question = "Does a tunnel tell?"\nscenarios = ["live-socks5"]\n')
    told = reported(*suite_scenarios(str(suite))).leaks
    assert any(one.startswith("protocol socks5") and one.endswith("spoken by attacks only") for one in told), told


def test_every_tls_stack_of_an_attack_is_also_honest():
    attacks, honest = set(), set()
    for _, timeline in core()[2]:
        said = timeline.conversations
        attacks |= set(said.stack[said.incident >= 0].tolist())
        honest |= set(said.stack[said.incident < 0].tolist())
    assert attacks <= honest
