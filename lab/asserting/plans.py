"""The plan that a test or pytest's options ask for, said as ``droidrange run`` is."""

from __future__ import annotations

from collections.abc import Sequence

from lab.authoring.settings import microseconds
from lab.errors import ScenarioError
from lab.running.extent import refuse_absurd
from lab.running.trial import Plan
from lab.scenario import enlarged, suite_scenarios
from lab.world.past import Past


def plan_of(
    suite: str,
    *,
    detectors: Sequence[str] = ("builtin",),
    views: Sequence[str] = ("full",),
    seeds: int = 1,
    seed: int = 1,
    stage: str = "wire",
    budget: float = 0.001,
    devices: int | None = None,
    learn: str | None = None,
    poison: float | None = None,
    novel: float | None = None,
) -> Plan:
    """The plan of a suite or scenario, by name or path; ``learn`` is a duration such as "7d".

    ScenarioError for what is misspelt or cannot be played, FileNotFoundError for a file that is not there.
    """
    if seeds < 1 or seed < 0:
        raise ScenarioError([f"seeds: found {seeds} from {seed} on, expected at least 1 from 0 on"])
    shares = {name: share for name, share in (("poison", poison), ("novel", novel)) if share is not None}
    if shares and learn is None:
        raise ScenarioError(
            [f"{name}: found {it:.12g} without a past, expected learn with it" for name, it in shares.items()]
        )
    try:
        past = None if learn is None else Past(microseconds(learn), **shares)
    except ValueError as fault:
        raise ScenarioError([f"learn: {fault}"]) from None
    name, scenarios = suite_scenarios(suite)
    scenarios = enlarged(scenarios, devices)
    refuse_absurd(scenarios, seeds, stage, looks=len(detectors) * len(views), learn=past.learn if past else 0)
    asked = (tuple(range(seed, seed + seeds)), stage, tuple(detectors), tuple(views), budget)
    by_path = suite if suite != name else ""
    return Plan(name, scenarios, *asked, past=past, devices=devices or 0, asked=by_path)
