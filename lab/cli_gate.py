"""The command line's gate: is what was measured good enough, and no worse than what was accepted before."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lab.console import emit, emit_json, guarded, progress, say
from lab.options import Json

ADVICE = "no gate.toml and no [tool.droidrange.gate] here: judged by the defaults of docs/gate.md"


@guarded
def gate(
    scorecard: Annotated[
        Path | None, typer.Argument(metavar="RUN_OR_SCORECARD", help="A run folder, or a scorecard.json.")
    ] = None,
    *,
    baseline: Annotated[Path | None, typer.Option(help="The scorecard (or run) to be no worse than.")] = None,
    config: Annotated[
        Path | None, typer.Option(help="gate.toml, or a pyproject.toml with [tool.droidrange.gate].", dir_okay=False)
    ] = None,
    threshold: Annotated[
        list[str] | None, typer.Option("--threshold", "-t", help="Instead of those of the file; may be repeated.")
    ] = None,
    self_test: Annotated[
        bool, typer.Option("--self-test", help="Plant regressions and prove that each breaks the gate: exit 1.")
    ] = False,
    json_: Json = False,
) -> None:
    """Hold a run against thresholds.

    A line each: 'polling.recall{period<=15m} >= 0.9', 'warn time_to_detect_p90 <= 2h', 'relay.recall no-regression',
    'recall no-loss', 'patch polling.recall >= 0.8'. Exit 0: all held. 1: one is broken. 3: one could not be judged.
    """
    if self_test:
        _self_test(scorecard, json_=json_)
        return
    if scorecard is None:
        raise typer.BadParameter("give a run folder or a scorecard.json, or --self-test")
    from lab.gate.judging import gate_of
    from lab.gate.words import lines

    found = gate_of(scorecard, baseline=baseline, config=config, thresholds=threshold or (), phase=progress)
    if found.defaults:
        say(ADVICE)
    if json_:
        emit_json(found.outcome.to_json())
    else:
        emit("\n".join(lines(found.outcome)))
    raise typer.Exit(found.outcome.exit_code)


def _self_test(scorecard: Path | None, *, json_: bool) -> None:
    """Exit 1 if every planted regression broke the gate, which is what a gate that can break does; 3 if one did not."""
    from lab.gate.self_test import self_test

    found = self_test(scorecard, progress)
    if json_:
        emit_json(found.to_json())
    else:
        emit("\n".join(found.lines()))
    raise typer.Exit(found.exit_code)


@guarded
def mutate(
    run_dir: Annotated[Path, typer.Argument(help="A run folder; its recordings are read, nothing is written.")],
    *,
    detector: Annotated[str, typer.Option(help="NAME:FILE; builtin alone is its bundled thresholds.")] = "builtin",
    view: Annotated[str, typer.Option(help="What the sensor shows.")] = "full",
    only: Annotated[str, typer.Option(help="Places to mutate, such as 'AN1793.*_weights.*'.")] = "*",
    json_: Json = False,
) -> None:
    """Find what of a detector's configuration decides nothing.

    Each value is moved and each condition removed, one at a time. Exit 3 if the detector says nothing there at all.
    """
    from lab.gate.mutation import mutation

    found = mutation(run_dir, detector, view, only=only, phase=progress)
    if json_:
        emit_json(found.to_json())
    else:
        emit("\n".join(found.lines()))
