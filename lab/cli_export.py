"""The command line's export: a scorecard in the formats that other tools read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lab.console import FAILED, emit, emit_json, guarded, say
from lab.options import Json, Out

if TYPE_CHECKING:
    from lab.exporting import Written


@guarded
def export(
    scorecard: Annotated[Path, typer.Argument(metavar="RUN_OR_SCORECARD", help="A run folder, or a scorecard.json.")],
    *,
    formats: Annotated[
        list[str],
        typer.Option(
            "--format",
            "-f",
            metavar="FORMAT",
            help="junit, sarif, github, summary, markdown, navigator, csv or parquet; may be repeated.",
        ),
    ],
    detector: Annotated[list[str] | None, typer.Option(help="Only of this detector; may be repeated.")] = None,
    view: Annotated[list[str] | None, typer.Option(help="Only under this view; may be repeated.")] = None,
    baseline: Annotated[
        Path | None, typer.Option(help="sarif: the scorecard (or run) against which results are new or gone.")
    ] = None,
    out: Out = None,
    json_: Json = False,
) -> None:
    """Write a scorecard in another tool's format.

    One file goes to stdout, or to --out FILE; several go into the folder --out. Exit 3, the files written all the same,
    if the run is no evidence.
    """
    from lab.exporting import Export, against, export, narrowed, read
    from lab.score import refusal

    views = tuple(view or ())
    card = narrowed(read(scorecard), tuple(detector or ()), views)
    before = against(read(baseline), card, views) if baseline else None
    what = Export(card, before)
    files = [one for name in dict.fromkeys(formats) for one in export(what, name)]
    _deliver(files, out, json_=json_)
    if stop := refusal(card):
        say(f"error: {stop}")
        raise typer.Exit(FAILED)


def _deliver(files: list[Written], out: Path | None, *, json_: bool) -> None:
    """Writes the files, or the only one to stdout; typer.BadParameter if there are several and no folder for them."""
    from lab.options import fit_folder
    from lab.store import write_atomic

    if out is None and not json_ and len(files) == 1:
        _to_stdout(files[0])
        return
    if out is None:
        names = ", ".join(one.name for one in files)
        raise typer.BadParameter(f"{names}: give --out (a folder for several), or one --format, --detector and --view")
    if len(files) == 1 and not out.is_dir():
        places = [out]
    else:
        folder = fit_folder(out)
        places = [folder / one.name for one in files]
    for place, one in zip(places, files, strict=True):
        write_atomic(place, one.content)
    if json_:
        emit_json({"written": [str(place) for place in places]})
    else:
        emit("\n".join(str(place) for place in places))


def _to_stdout(one: Written) -> None:
    """Text to stdout; tables that are no text need a file."""
    if not one.text:
        raise typer.BadParameter(f"{one.name} is no text: give --out FILE")
    emit(one.content.decode().removesuffix("\n"))
