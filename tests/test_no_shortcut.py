"""Nothing but behaviour separates the classes (DESIGN section 8): no suite gives its attacks away by a trait.

lab/catalogue/shortcuts.py says how that is judged. Here every suite on disk is, and every trait is given away once, to see that it
would be caught. What the wire adds (TTL, JA4, certificates) is test_no_shortcut_wire.py's.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from lab.catalogue.shortcuts import MANNERS, MARGIN, evening, judged, shortcuts
from lab.catalogue.traits import app_rows, parts_of, peer_rows
from lab.scenario import suite_names, suite_scenarios

TABLES = {"apps": app_rows, "peers": peer_rows}
LABELLED = [name for name in suite_names() if any(one.analytics for one in suite_scenarios(name)[1])]
RANKS = {"rank among the popular", "rank in the tail"}  # of popular and tail hosts only, which few attacks speak to


@cache
def report(suite):
    (found,) = shortcuts([suite])
    return found


@pytest.mark.parametrize("suite", LABELLED)
def test_no_trait_of_a_suite_is_a_shortcut(suite):
    assert report(suite).leaks == ()


def test_the_largest_suite_has_apps_enough_to_say_so():
    """What is said of ``full`` is more than that it was too small: 0.1 is beyond chance there, or all but."""
    against = [one for one in report("full").columns if one.among == "everybody" and one.column not in RANKS]
    assert min(one.malicious for one in against) >= 60
    assert max(one.chance for one in against) <= MARGIN + 0.02


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
def test_a_trait_that_is_given_away_is_caught(table, name):
    """The negative control, for every kind of column: whoever is malicious has a value in the middle of the others."""
    parts, rows, _ = core()
    values = sorted((row.traits[name] for row in rows[table] if row.traits[name] is not None), key=str)
    planted = "planted" if isinstance(values[0], str) else sum(map(float, values)) / len(values) + 0.0123
    leaky = [replace(row, traits={**row.traits, name: planted}) if row.malicious else row for row in rows[table]]
    found = {one.among: one for one in judged(table, leaky, parts, only=(name,))}
    assert set(found) == ({"twins"} if name in MANNERS else {"everybody", "twins"})
    assert all(one.leak for among, one in found.items() if among == "everybody" or name not in RANKS), found


def test_a_protocol_of_attacks_alone_is_caught(tmp_path):
    suite = tmp_path / "alone.toml"
    suite.write_text('question = "Does a tunnel tell?"\nscenarios = ["live-socks5"]\n')
    told = report(str(suite)).leaks
    assert any(one.startswith("protocol socks5") and one.endswith("spoken by attacks only") for one in told), told


def test_every_tls_stack_of_an_attack_is_also_honest():
    attacks, honest = set(), set()
    for _, timeline in core()[2]:
        said = timeline.conversations
        attacks |= set(said.stack[said.incident >= 0].tolist())
        honest |= set(said.stack[said.incident < 0].tolist())
    assert attacks <= honest
