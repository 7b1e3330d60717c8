"""The command line's baselines: what is normal of an enterprise, learned, shown, merged; and scorecards accepted."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lab.console import emit, emit_json, guarded, progress
from lab.options import Json, Partial

if TYPE_CHECKING:
    from detector.baseline import Baseline

File = Annotated[Path, typer.Option("--out", "-o", help="The file to write; a baseline that is there is replaced.")]

baseline_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="What is normal of an enterprise: who contacts which destination, how often, how much, when.",
)


@baseline_app.command("learn")
@guarded
def baseline_learn(
    recordings: Annotated[list[Path], typer.Argument(help="Recordings, pcap or pcapng files.")],
    *,
    out: File,
    view: Annotated[str, typer.Option(help="What the sensor shows; detect needs a baseline of its own view.")] = "full",
    merge: Annotated[
        list[Path] | None, typer.Option(help="A baseline learned before, to be kept; may be repeated.")
    ] = None,
    allow_partial: Partial = False,
    json_: Json = False,
) -> None:
    """Learn what is normal from recordings and captures.

    A recording's truth is not opened. The same recording counts once, however often it is given or merged.
    """
    from lab.baselines import learned_from, merged_files

    _fit(out)
    _spare(out)
    learned = learned_from(recordings, view, allow_partial=allow_partial, progress=progress)
    found = merged_files(merge, [learned]) if merge else learned
    _written(found, out, json_=json_)


@baseline_app.command("show")
@guarded
def baseline_show(
    file: Annotated[Path, typer.Argument(help="A file that baseline learn or merge wrote.")], *, json_: Json = False
) -> None:
    """Show what a baseline knows.

    How much was learned from, and what is usual of each category of apps.
    """
    from detector.baseline import Baseline
    from lab.baselines import print_baseline

    about = Baseline.read(file).summary()
    if json_:
        emit_json({"baseline": str(file), **about})
    else:
        print_baseline(about)


@baseline_app.command("merge")
@guarded
def baseline_merge(
    files: Annotated[list[Path], typer.Argument(help="Baselines of one view, in any order.")],
    *,
    out: File,
    json_: Json = False,
) -> None:
    """Put baselines of one view together.

    Their order does not matter, and a recording that several have learned from counts once.
    """
    from lab.baselines import merged_files

    _fit(out)
    _spare(out)
    found = merged_files(files)
    _written(found, out, json_=json_)


@baseline_app.command("accept")
@guarded
def baseline_accept(
    scorecard: Annotated[Path, typer.Argument(metavar="RUN_OR_SCORECARD", help="A run folder, or a scorecard.json.")],
    *,
    reason: Annotated[str, typer.Option(help="Why this is good enough from now on; kept in the file.")],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="The file; the one before is replaced, its reasons kept.")
    ] = Path("baseline-scorecard.json"),
    json_: Json = False,
) -> None:
    """Accept a scorecard as what gates compare with.

    The file is given to droidrange gate --baseline. Keep it in your repository.
    """
    from lab.gate.accepting import accept

    _fit(out)
    entry = accept(scorecard, reason, out, progress)
    if json_:
        emit_json({"baseline": str(out), **entry})
    else:
        emit(f"accepted: {out}\nreason: {entry['reason']}\nsha256: {entry['sha256']}")


def _written(found: Baseline, out: Path, *, json_: bool) -> None:
    """The baseline goes into its file, and what it knows is told."""
    from lab.baselines import print_baseline

    found.write(out)
    about = {"baseline": str(out), **found.summary()}
    if json_:
        emit_json(about)
    else:
        print_baseline(about)
        emit(f"baseline: {out}")


def _fit(path: Path) -> None:
    """The file that --out names, proven to be possible before the work begins; typer.BadParameter if it is not."""
    if path.is_dir():
        raise typer.BadParameter(f"--out {path} is a folder, expected a file")
    if not path.parent.is_dir():
        raise typer.BadParameter(f"--out {path} cannot be written: {path.parent} is no folder; make it first")


def _spare(path: Path) -> None:
    """typer.BadParameter where a file is there that baseline learn did not write, such as a capture."""
    if path.is_file() and not zipfile.is_zipfile(path):
        raise typer.BadParameter(f"--out {path} is there and is no baseline: name another file, or remove it")
