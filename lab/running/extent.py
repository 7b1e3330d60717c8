"""How much a run would make, reckoned before anything is played, and from where on that is refused.

It knows counts only; what a device-day weighs was measured on suite core, seed 1, on 2026-11-21.
"""

from __future__ import annotations

from collections.abc import Sequence

from lab.authoring.plans import Scenario
from lab.errors import ScenarioError

MOST_PLAYS = 20_000  # recordings of one command: suite full under a hundred seeds; at 2 s each, eleven hours
MEGABYTES = {"flows": 0.5}  # of a device-day's recording
MEGABYTES_ELSEWHERE = 16.0
DAY = 86_400_000_000


def refuse_absurd(scenarios: Sequence[Scenario], seeds: int, stage: str, *, looks: int = 0, learn: int = 0) -> None:
    """ScenarioError if that many seeds of these scenarios are more than MOST_PLAYS recordings.

    ``looks``: detectors times views of each recording; 0 where recordings are not kept (``scenario check``).
    ``learn``: how many microseconds before each are recorded too; 0 for none.
    """
    plays = len(scenarios) * seeds * (2 if learn else 1)
    if plays <= MOST_PLAYS:
        return
    days = seeds * sum(one.devices * one.span for one in scenarios) / DAY
    before = seeds * sum(one.devices * learn for one in scenarios) / DAY
    gigabytes = (days * MEGABYTES.get(stage, MEGABYTES_ELSEWHERE) + before * MEGABYTES["flows"]) / 1000
    days += before
    made = f"{plays * looks:,} trials and about {gigabytes:,.0f} GB" if looks else f"{plays:,} recordings to prove"
    expected = f"at most {MOST_PLAYS * seeds // plays:,} for {len(scenarios):,} scenarios ({MOST_PLAYS:,} recordings)"
    made += f", {days:,.0f} device-days; run parts of it with --seed into folders of their own"
    raise ScenarioError([f"--seeds: found {seeds:,}, expected {expected}: it would make {made}"])
