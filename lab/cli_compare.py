"""The command line's comparisons: two runs, or many over time. They inform; what must not happen is the gate's."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lab.console import emit, emit_json, guarded, progress
from lab.options import Json


@guarded
def compare(
    before: Annotated[Path, typer.Argument(metavar="RUN_A", help="As it was: a run folder, or a scorecard.json.")],
    now: Annotated[Path, typer.Argument(metavar="RUN_B", help="As it is.")],
    *,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Also if suites, versions, stages, fleets or scenarios differ.")
    ] = False,
    json_: Json = False,
) -> None:
    """Show what changed between two runs.

    With the chance that it is chance, and the incidents that flipped by name. Exit 0 whatever changed (the gate breaks,
    not this), 3 if either is no evidence or they are not comparable.
    """
    from lab.comparing.compare import compare as compare_runs
    from lab.comparing.words import lines

    found = compare_runs(before, now, anyway=anyway, phase=progress)
    if json_:
        emit_json(found.to_json())
    else:
        emit("\n".join(lines(found)))


@guarded
def history(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder of run folders or scorecards.")],
    *,
    by: Annotated[
        str, typer.Option(help="Their order: name (r2 before r10) or time (when they were scored).")
    ] = "name",
    detector: Annotated[list[str] | None, typer.Option(help="Only this detector; may be repeated.")] = None,
    view: Annotated[list[str] | None, typer.Option(help="Only under this view; may be repeated.")] = None,
    json_: Json = False,
) -> None:
    """Show how runs went over time.

    A line of blocks for each metric; runs that are no evidence, or not comparable with the one before, say so. Exit 3
    if there is nothing to show.
    """
    from lab.comparing.history import history_of
    from lab.comparing.trend_words import lines

    found = history_of(folder, order=by, detectors=detector or (), views=view or ())
    if json_:
        emit_json(found.to_json())
    else:
        emit("\n".join(lines(found)))
