"""The command that runs detectors over recordings and captures, and says why."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lab.console import emit, guarded, progress
from lab.options import Detectors, Json, Out, Partial

if TYPE_CHECKING:
    from lab.detection import Look

Exceptions = Annotated[
    Path | None, typer.Option(help="TOML file of documented exceptions: what it covers is informational.")
]
Learned = Annotated[Path | None, typer.Option(help="What baseline learn wrote, of the same view: what is normal here.")]
Explain = Annotated[
    str | None,
    typer.Option(
        metavar="INCIDENT", help="Why it was found or missed: an incident, missed, all, or DEVICE/PACKAGE[/PEER]."
    ),
]


@guarded
def detect(
    inputs: Annotated[
        list[Path], typer.Argument(help="Recordings, captures, or other sensors' logs (docs/telemetry.md).")
    ],
    *,
    detector: Detectors = ["builtin"],  # noqa: B006 - typer copies it
    view: Annotated[str, typer.Option(help="What the sensor shows.")] = "full",
    exceptions: Exceptions = None,
    baseline: Learned = None,
    explain: Explain = None,
    allow_partial: Partial = False,
    out: Out = None,
    json_: Json = False,
) -> None:
    """Run detectors over recordings and captures.

    Findings to the terminal, as JSON lines, or into the file --out. Each input is judged by itself. With --explain:
    what became of whom that names, factor by factor, and the smallest change that would have been an alert.
    """
    from lab.detection import looks, write_lines

    with progress("detect") as advance:
        seen = looks(
            inputs,
            tuple(detector),
            view,
            allow_partial=allow_partial,
            advance=advance,
            exceptions=exceptions,
            baseline=baseline,
        )
        lines, show = _findings(seen) if explain is None else _answers(seen, explain, allow_partial=allow_partial)
    if out:
        write_lines(out, lines)
    if json_:
        for line in lines:
            emit(line)
    elif not out:
        show()


def _findings(seen: Iterable[Look]) -> tuple[list[str], Callable[[], None]]:
    """JSON lines of what was found, and how to show it to a person."""
    from lab.detection import print_findings, rows_of

    rows = rows_of(seen)
    return [row.line() for row in rows], partial(print_findings, rows)


def _answers(seen: Iterable[Look], incident: str, *, allow_partial: bool) -> tuple[list[str], Callable[[], None]]:
    """JSON lines of why it was found or missed, and how to show them to a person."""
    from lab.explaining import explain_looks
    from lab.report.explained import print_explained

    answers = explain_looks(seen, incident, allow_partial=allow_partial)
    return [answer.line() for answer in answers], partial(print_explained, [answer.to_json() for answer in answers])
