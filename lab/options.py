"""The options that several commands share: one spelling, one help text, one meaning each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from lab.authoring.plans import Scenario
    from lab.world.past import Past


def _span(text: str) -> int:
    """The microseconds of a duration; typer.BadParameter says what was found."""
    from lab.authoring.settings import microseconds

    try:
        return microseconds(text)
    except ValueError as fault:
        raise typer.BadParameter(str(fault)) from None


Json = Annotated[bool, typer.Option("--json", help="Result as JSON on stdout, nothing else there.")]
Out = Annotated[Path | None, typer.Option("--out", "-o", help="Where to write.")]
Detectors = Annotated[list[str], typer.Option("--detector", help="Detector NAME or NAME:ARG; may be repeated.")]
Partial = Annotated[bool, typer.Option("--allow-partial", help="Go on with damaged evidence and mark what it says.")]
Seed = Annotated[
    int, typer.Option("--seed", min=0, help="The same seed gives the same timeline; on stage wire, byte for byte.")
]
Stage = Annotated[str, typer.Option("--stage", help="Where the timeline is played: wire, flows or live.")]
Speed = Annotated[float | None, typer.Option(min=1.0, help="Live: idle gaps pass so many times as fast.")]
Learn = Annotated[
    int | None, typer.Option("--learn", parser=_span, metavar="SPAN", help="Learn what is usual from so long before.")
]
Before = Annotated[
    int | None, typer.Option("--past", parser=_span, metavar="SPAN", help="Instead so long before it, on stage flows.")
]
Poison = Annotated[
    float | None,
    typer.Option(metavar="SHARE", help="Probability, 0 to 1, that a labelled behaviour is there before already."),
]
Novel = Annotated[
    float | None,
    typer.Option(
        metavar="SHARE", help="Probability, 0 to 1, that what imitates one is not there yet; 0.01 unless given."
    ),
]
Devices = Annotated[int | None, typer.Option(help="How many phones, instead of as many as are written.")]
Vary = Annotated[
    list[str] | None,
    typer.Option(metavar="KEY=V,V,...", help="Turn a setting, such as polling.jitter=0,0.3,0.9; once or twice."),
]
Every = Annotated[
    int | None,
    typer.Option("--every", parser=_span, metavar="SPAN", help="Again and again, so long from start to start."),
]
Within = Annotated[
    int | None, typer.Option("--within", parser=_span, metavar="SPAN", help="How long to wait; 30s unless given.")
]
LabId = Annotated[str | None, typer.Option("--lab", help="Live: the lab to play in, if several are up.")]


def past_of(span: int | None, poison: float | None, novel: float | None) -> Past | None:
    """The past that was asked for; typer.BadParameter for a share without one, ScenarioError for one that cannot be."""
    from lab.world.past import Past

    shares = {name: share for name, share in (("poison", poison), ("novel", novel)) if share is not None}
    if span is None:
        for name, share in shares.items():
            raise typer.BadParameter(f"--{name}: found {share:.12g} without a past, expected --learn or --past with it")
        return None
    return Past(span, **shares)


def varied(
    scenarios: tuple[Scenario, ...], asked: list[str] | None
) -> tuple[tuple[Scenario, ...], tuple[dict[str, Any], ...]]:
    """The scenarios in every cell of the sweep that was asked for, and its axes; what is left out is said on stderr."""
    if not asked:
        return scenarios, ()
    from lab.authoring.varied import swept
    from lab.console import say

    found = swept(scenarios, asked)
    if found.left_out:
        say(f"not varied and not played: {', '.join(found.left_out)}")
    for told in found.unlike:
        say(f"twin not turned alike: {told}")
    return found.scenarios, found.axes


def fit_folder(path: Path, *, made: bool = True) -> Path:
    """The folder that --out names, made where it is not there, or proven to be possible; typer.BadParameter if not."""
    if path.is_file():
        raise typer.BadParameter(f"--out {path} is a file, expected a folder")
    if stands := [above for above in path.parents if above.is_file()]:
        raise typer.BadParameter(f"--out {path} cannot be written: {stands[0]} is a file")
    new = not path.exists()
    try:
        path.mkdir(parents=True, exist_ok=True)
        if new and not made:
            path.rmdir()
    except OSError as fault:
        raise typer.BadParameter(f"--out {path} cannot be written: {fault.strerror}") from None
    return path
