"""One scenario recorded: whole, or where it is large and the stage can, block by block on all processors."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Any

from detector.contract import Advance
from lab.authoring.plans import Scenario
from lab.running.workers import streamed
from lab.scenario import compile_blocks, compile_scenario, in_blocks
from lab.stages import play, play_blocks, plays_blocks
from lab.stages.uncollected import uncollected
from lab.world.past import Past

PAST_STAGE = "flows"  # where pasts are played, whatever the present is: they are learned from, which takes many days


def record(
    stage: str,
    scenario: Scenario,
    seed: int,
    folder: Path,
    *,
    past: Past | None = None,
    replace: bool = False,
    progress: Advance | None = None,
    **wishes: Any,
) -> Path:
    """Compiles and plays a scenario, or the ``past`` before it; the bytes depend on neither processors nor memory.

    Raises what compile_scenario and the stage's ``play`` raise.
    """
    if not in_blocks(scenario) or wishes or not plays_blocks(stage):
        with uncollected():
            timeline = compile_scenario(scenario, seed, past)
        return play(stage, timeline, folder, replace=replace, progress=progress, **wishes)
    with uncollected():
        return play_blocks(
            stage,
            compile_blocks(scenario, seed, past),
            folder,
            phones=scenario.devices,
            replace=replace,
            progress=progress,
            spread=partial(streamed, workers=_workers()),
        )


def _workers() -> int:
    """One for each processor: this process compiles, which is the lesser work."""
    return len(os.sched_getaffinity(0))
