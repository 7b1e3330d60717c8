"""The shape of scorecard.json: the one source of docs/scorecard.schema.json. Pure.

A key that lab/score.py writes and these models do not name is a fault: a test holds real scorecards against them. To
write the schema anew: ``python -m lab.scoring.card > docs/scorecard.schema.json``.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import Field

from lab.scoring.card_boundary import Boundary
from lab.scoring.card_measures import Amount, Analytic, Count, OfDetector, Share, Statuses, Strict

Hash = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Time = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$", description="RFC 3339, UTC")]


class Place(Strict):
    """The trial that a row is of."""

    scenario: str
    seed: int
    stage: str
    view: str
    detector: str
    held_out: Annotated[bool, Field(description="nothing may be tuned by it")]


class Reason(Strict):
    """One factor of a finding."""

    feature: str
    value: float | str | None
    expected: str
    weight: float
    text: str


class Incident(Place):
    """One incident in one scored trial. ``score`` and what follows are of the best finding about it."""

    incident: str
    analytic: Analytic
    behaviour: str
    twin_of: str
    device: str
    package: str
    category: str | None
    start: Time
    end: Time
    contacts: Count
    verdict: Literal["detected", "missed", "unseen"]
    score: Share | None
    severity: str | None
    peer: str | None
    decided_at: Time | None
    time_to_detect_s: Amount | None
    contacts_to_detect: Count | None
    duplicates: Count
    reasons: list[Reason] = Field(default=[], description="not in an accepted baseline")


class FalseAlarm(Place):
    """One alert about no incident: benign, cross (right app, other analytic), extra (other peer or time)."""

    analytic: Analytic
    package: str | None
    peer: str | None
    severity: str | None
    score: Share
    device: str
    category: str | None
    kind: Literal["benign", "cross", "extra"]
    decided_at: Time
    reasons: list[Reason] = Field(default=[], description="not in an accepted baseline")


class BackgroundAlerts(Place):
    """Alerts of one trial on the traffic that a merged recording held before: neither right nor wrong."""

    analytic: Analytic
    alerts: Count
    devices: Annotated[int, Field(ge=1, description="on how many hosts of that traffic")]


class BlindSpot(Strict):
    """A behaviour of which nothing was detected under a view, and why."""

    detector: str
    view: str
    analytic: Analytic
    behaviour: str
    why: Literal["missed", "unseen", "unsupported"]
    reason: str
    incidents: Count
    unseen: Count
    unsupported_incidents: Count


class Sizes(Strict):
    """How many of each an AUC is of."""

    incidents: Count
    twin_devices: Count


class Separability(Strict):
    """How far a malicious scenario stands from its benign twin: ROC AUC, 0.5 is chance."""

    detector: str
    view: str
    scenario: str
    twin: str
    analytic: Analytic
    auc: Share | None
    n: Sizes
    inventory: Annotated[list[str], Field(description="what the inventory says for the twin's apps only")]


class TooEasy(Strict):
    """A control that knows one thing only and does nearly as well as the best detector."""

    analytic: Analytic
    view: str
    control: str
    metric: Literal["pr_auc", "recall_at_budget"]
    value: Share
    best: str
    best_value: Share


class Unscored(Place):
    """A trial without a score, and why."""

    status: Literal["unsupported", "failed"]
    reason: str


class Played(Strict):
    """An incident, once, with the settings of its behaviour; durations in seconds."""

    scenario: str
    seed: int
    stage: str
    incident: str
    settings: dict[str, Any]


class Judgement(Place):
    """What a scored trial cost, for one analytic that was judged in it."""

    analytic: Analytic
    device_days: Amount
    false_alarms: Count


class Software(Strict):
    """What made the run."""

    droidrange: str
    python: str
    attack: Annotated[str, Field(description="release of ATT&CK")]


class Evidence(Strict):
    """What was scored: versions, and the hash of every scenario and of every recording's manifest."""

    software: Software
    detectors: Annotated[dict[str, str], Field(description="version of each")]
    scenarios: dict[str, Hash]
    recordings: Annotated[dict[str, Hash], Field(description="by SCENARIO-sSEED")]
    speed: float = Field(
        default=1.0, description="live: idle gaps passed so many times as fast; absent where not asked"
    )
    asked: str = Field(default="", description="the path by which the suite was asked for; absent: by its name")
    turned: dict[str, list[str]] = Field(
        default={}, description="what each scenario was made by, as run --vary has it; absent where nothing was turned"
    )


class Accepted(Strict):
    """A decision that this is good enough."""

    reason: str
    sha256: Hash
    replaces: Hash | None


class Card(Strict):
    """A scorecard of droidrange: what became of every incident, what every trial cost, and what that rests on."""

    schema_version: Literal[1]
    suite: str
    seeds: Annotated[int, Field(ge=1)]
    budget_per_device_day: Annotated[float, Field(ge=0, description="false alarms that can be afforded")]
    devices: int = Field(default=0, description="phones of every scenario; absent: as many as are written")
    learn_s: float = Field(default=0.0, description="seconds before the scenario that were learned from; absent: none")
    poison: float = Field(default=0.0, description="probability of a labelled behaviour there; with learn_s only")
    novel: float = Field(default=0.0, description="probability of a look-alike not there yet; with learn_s only")
    trials: Statuses
    held_out: list[str]
    unscored: list[Unscored]
    detectors: dict[str, OfDetector]
    incidents: list[Incident]
    false_alarms: Annotated[list[FalseAlarm], Field(description="at most 200 of a detector, view and analytic")]
    blind_spots: list[BlindSpot]
    separability: list[Separability]
    suite_too_easy: list[TooEasy]
    played: list[Played]
    judgements: list[Judgement]
    background: list[BackgroundAlerts] = Field(default=[], description="of merged recordings; absent: none")
    boundary: list[Boundary] = Field(default=[], description="where settings were turned (run --vary); absent: none")
    evidence: Evidence
    accepted: list[Accepted] = Field(default=[], description="in a baseline only: every decision, the last one last")


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a scorecard; no object may have a key that it does not name."""
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return {**dialect, **Card.model_json_schema()}


def text() -> str:
    """The schema as the file holds it."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    print(text(), end="")  # noqa: T201 - the schema is what this prints
