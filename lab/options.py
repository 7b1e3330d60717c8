"""The options that several commands share: one spelling, one help text, one meaning each."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Result as JSON on stdout, nothing else there.")]
Out = Annotated[Path | None, typer.Option("--out", "-o", help="Where to write.")]
Detectors = Annotated[list[str], typer.Option("--detector", help="Detector NAME or NAME:ARG; may be repeated.")]
Partial = Annotated[bool, typer.Option("--allow-partial", help="Go on with damaged evidence and mark what it says.")]
Seed = Annotated[
    int, typer.Option("--seed", min=0, help="The same seed gives the same timeline; on stage wire, byte for byte.")
]
Stage = Annotated[str, typer.Option("--stage", help="Where the timeline is played: wire or live.")]
Speed = Annotated[float | None, typer.Option(min=1.0, help="Live: idle gaps pass so many times as fast.")]
LabId = Annotated[str | None, typer.Option("--lab", help="Live: the lab to play in, if several are up.")]
