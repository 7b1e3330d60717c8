"""A few scenarios for every protocol, carrier, naming, network condition and kind there is, cut short, read by real tools.

All of them whole are tests/bench/table_validity.py's. The sample is chosen anew from what the suites hold: a scenario
that brings something new is in it by itself.
"""

from __future__ import annotations

import sys
from dataclasses import fields, replace
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

from lab.authoring.kinds import protocol_names
from lab.authoring.plans import Scenario
from lab.errors import ScenarioError
from lab.recording import CAPTURE, open_recording
from lab.scenario import compile_scenario, find_scenario, load_scenario
from lab.stages import play

pytestmark = pytest.mark.tools
BENCH = Path(__file__).parent / "bench"
PARTS = 4  # of the sample, for as many workers
HOURS = 3_600_000_000
SPAN = 10 * HOURS  # into the morning, when people use their phones
# settings whose every value changes what stands in packets; all others change when and how much
FACETS = (
    "carrier",
    "channel",
    "discovery",
    "front",
    "naming",
    "password",
    "protocol",
    "qtype",
    "resume",
    "starttls",
    "tls",
    "udp",
    "version",
)


@pytest.fixture(scope="module")
def bench():
    sys.path.insert(0, str(BENCH))
    yield import_module("table_validity")
    sys.path.remove(str(BENCH))


def facets(scenario: Scenario) -> set[tuple[str, ...]]:
    """What of this scenario stands in packets."""
    plans = [plan for app in scenario.apps for plan in app.behaviours]
    found = {("kind", plan.kind) for plan in plans}
    for plan in plans:
        known = {one.name for one in fields(plan.behaviour)}
        found |= {(name, str(getattr(plan.behaviour, name))) for name in FACETS if name in known}
    found |= {("network", name) for name in scenario.network.set()}
    found |= {("phones", name) for name in ("private_dns", "vpn") if getattr(scenario.phones, name)}
    return found


def short(bench, scenario: Scenario) -> Scenario:
    """One phone's morning, without what the phone has besides."""
    ground = replace(scenario.background, apps=0)
    return replace(bench.cut(scenario, 1, SPAN), background=ground)


def compiled(bench, name: str):
    """The timeline of its morning; None if what it is about does not happen in these hours."""
    try:
        timeline = compile_scenario(short(bench, load_scenario(find_scenario(name))), 1)
    except ScenarioError:
        return None
    return timeline if len(timeline.conversations.start) else None


@cache
def sample(bench) -> tuple:
    """Timelines that show every facet between them, found greedily: the scenario with the most new ones first."""
    left = {name: facets(load_scenario(find_scenario(name))) for name in bench.scenarios()}
    chosen, seen = [], set()
    while left:
        best = max(left, key=lambda name: len(left[name] - seen))
        new = left.pop(best) - seen
        if not new:
            break
        if timeline := compiled(bench, best):
            chosen.append(timeline)
            seen |= new
    return tuple(chosen)


def test_the_sample_speaks_every_protocol(bench):
    spoken = {one.speeches[k].protocol for one in sample(bench) for k in one.conversations.speech.tolist()}
    assert set(protocol_names()) - spoken == set()


@pytest.mark.parametrize("part", range(PARTS))
def test_tshark_and_suricata_find_nothing_wrong(bench, tmp_path, part):
    for name in ("tshark", "suricata"):
        if bench.judges.installed(name) is None:
            pytest.skip(f"{name} is not installed")
    faults = {}
    for timeline in sample(bench)[part::PARTS]:
        folder = play("wire", timeline, tmp_path / timeline.scenario)
        row = {"packets": open_recording(folder).files[CAPTURE]["packets"], "lossy": timeline.network.loss > 0}
        row |= bench.heard(folder / CAPTURE, tmp_path / f"{timeline.scenario}-eve", *bench.clear_names(timeline))
        if found := bench.wrong(row):
            faults[timeline.scenario] = found
    assert faults == {}
