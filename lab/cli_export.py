"""The command line's export: scorecards and recordings in the formats that other tools read."""

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
    what: Annotated[
        Path,
        typer.Argument(metavar="PATH", help="A run folder or scorecard.json; or a recording's folder."),
    ],
    *,
    formats: Annotated[
        list[str],
        typer.Option(
            "--format",
            "-f",
            metavar="FORMAT",
            help="Of a run: junit, sarif, github, summary, markdown, navigator, csv, parquet. Of a recording: "
            "see docs/formats.md. May be repeated.",
        ),
    ],
    detector: Annotated[list[str] | None, typer.Option(help="Only of this detector; may be repeated.")] = None,
    view: Annotated[list[str] | None, typer.Option(help="Only under this view; may be repeated.")] = None,
    baseline: Annotated[
        Path | None, typer.Option(help="sarif: the scorecard (or run) against which results are new or gone.")
    ] = None,
    findings: Annotated[
        Path | None, typer.Option(help="Of a recording: a findings.jsonl of detect on it, to go with it.")
    ] = None,
    rules: Annotated[
        Path | None, typer.Option(help="suricata-verify: the rules to be tested, a file or a folder of *.rules.")
    ] = None,
    finding: Annotated[
        int | None, typer.Option(help="evidence: which of the findings, from 1; the first alert unless given.")
    ] = None,
    with_truth: Annotated[bool, typer.Option("--with-truth", help="evidence: with what is true of its flows.")] = False,
    out: Out = None,
    json_: Json = False,
) -> None:
    """Write a scorecard or a recording in another tool's format.

    Of a scorecard, one file goes to stdout, or to --out FILE; several go into the folder --out. Exit 3, the files
    written all the same, if the run is no evidence. Of a recording, all go into the new folder --out.
    """
    from lab.handing_on.formats import kind_of, refuse

    kind = kind_of(what)
    names = tuple(dict.fromkeys(formats))
    refuse(what, kind, names)
    if kind != "scorecard":
        if given := [
            word for word, value in (("--detector", detector), ("--view", view), ("--baseline", baseline)) if value
        ]:
            raise typer.BadParameter(f"{', '.join(given)}: of scorecards; {what} is {kind}")
        _hand_on(what, names, (findings, rules, finding), out, with_truth=with_truth, json_=json_)
        return
    if findings or rules or finding is not None or with_truth:
        raise typer.BadParameter(f"--findings, --finding, --rules, --with-truth: of a recording; {what} is a scorecard")
    from lab.exporting import Export, against, export, narrowed, read
    from lab.score import refusal

    views = tuple(view or ())
    card = narrowed(read(what), tuple(detector or ()), views)
    before = against(read(baseline), card, views) if baseline else None
    files = [one for name in names for one in export(Export(card, before), name)]
    _deliver(files, out, json_=json_)
    if stop := refusal(card):
        say(f"error: {stop}")
        raise typer.Exit(FAILED)


def _hand_on(
    path: Path,
    names: tuple[str, ...],
    given: tuple[Path | None, Path | None, int | None],
    out: Path | None,
    *,
    with_truth: bool,
    json_: bool,
) -> None:
    """Writes a recording into the folder --out, whole or not at all."""
    from lab.handing_on.formats import hand_on
    from lab.handing_on.source import source
    from lab.options import fit_folder

    if out is None:
        raise typer.BadParameter(f"{', '.join(names)}: give --out, a new folder")
    fit_folder(out, made=False)
    if out.is_dir() and any(out.iterdir()):
        raise typer.BadParameter(f"--out {out} is not empty, expected a new folder")
    written = hand_on(source(path, *given, with_truth=with_truth), names, out)
    if json_:
        emit_json({"written": [str(place) for place in written]})
    else:
        emit("\n".join(str(place) for place in written))


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
