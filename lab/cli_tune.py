"""The command line's tuner: thresholds chosen at a budget of false alarms, and judged where they were not chosen."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lab.console import emit, emit_json, guarded, progress, say
from lab.options import Devices, Json, Learn, Novel, Out, Poison, Seed, Stage, fit_folder, past_of


@guarded
def tune(
    suite: Annotated[str, typer.Argument(help="A suite, a scenario, or the path of either.")],
    *,
    budget: Annotated[float, typer.Option(help="False alarms per device-day you can afford.")] = 0.001,
    detector: Annotated[str, typer.Option(help="Detector NAME or NAME:ARG, one with a knob.")] = "builtin",
    view: Annotated[str, typer.Option(help="What the sensor shows.")] = "full",
    seeds: Annotated[int | None, typer.Option(min=1, help="How many seeds of every scenario; 4 unless given.")] = None,
    seed: Seed = 1,
    stage: Stage = "flows",
    devices: Devices = None,
    learn: Learn = None,
    poison: Poison = None,
    novel: Novel = None,
    run: Annotated[Path | None, typer.Option(help="The folder that keeps the recordings; out/tune-SUITE.")] = None,
    out: Out = None,
    json_: Json = False,
) -> None:
    """Choose a detector's thresholds at a budget.

    Every threshold is tried on what the detector says, near misses too; it is judged on seeds, devices and packages
    that it was not chosen by. --out is a file in the detector's own form. Exit 3 where the device-days cannot say.
    """
    from datetime import date

    from lab.running.extent import refuse_absurd
    from lab.scenario import suite_scenarios
    from lab.tuning.tune import Alone, Wish, knobbed, planned
    from lab.tuning.tune import tune as tuned
    from lab.tuning.words import lines

    knobbed(detector)
    name, scenarios = suite_scenarios(suite)
    fit, many, phones = planned(scenarios, budget, seeds, devices)
    past = past_of(learn, poison, novel)
    refuse_absurd(fit, many, stage, looks=2, learn=past.learn if past else 0)
    folder = fit_folder(run or Path("out") / f"tune-{name}")
    numbers = tuple(range(seed, seed + many))
    plan = Alone(name, fit, numbers, stage, (detector,), (view,), budget, past=past, devices=phones)
    days = many * sum(one.devices * one.span for one in fit) / 86_400e6
    held = tuple(sorted({one.name for one in scenarios} - {one.name for one in fit}))
    kept = f"; held out and not played: {', '.join(held)}" if held else ""
    say(f"{len(fit)} scenarios under {many} seeds are {days:,.0f} device-days{kept}")
    today = date.today().isoformat()  # noqa: DTZ011 - the day it was tuned on, here
    found = tuned(Wish(plan, folder, out, today, held, progress))
    if json_:
        emit_json(found.to_json())
    else:
        emit("\n".join(lines(found)))
