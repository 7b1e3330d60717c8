"""The command that plays one scenario, or the days before it, and keeps the recording."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from lab.console import emit, emit_json, guarded, progress, say
from lab.options import Before, Devices, Json, LabId, Out, Poison, Seed, Speed, Stage, fit_folder, past_of

USUAL_STAGE = "wire"


@guarded
def record(
    scenario: Annotated[str, typer.Argument(help="A scenario's name or the path of its TOML file.")],
    *,
    seed: Seed = 1,
    stage: Stage = USUAL_STAGE,
    real_tls: Annotated[
        bool, typer.Option("--real-tls", help="Wire: live handshakes and a key log; gives up byte-identity.")
    ] = False,
    speed: Speed = None,
    lab: LabId = None,
    pin: Annotated[list[str] | None, typer.Option(help="Live: a package that trusts no interception.")] = None,
    passthrough: Annotated[list[str] | None, typer.Option(help="Live: a host that is not intercepted.")] = None,
    before: Before = None,
    poison: Poison = None,
    devices: Devices = None,
    force: Annotated[bool, typer.Option(help="Replace a recording that is already there.")] = False,
    out: Out = None,
    json_: Json = False,
) -> None:
    """Play one scenario, keep the recording.

    --out is a folder: telemetry, truth and manifest.
    """
    from lab.recording import open_recording
    from lab.running.record import PAST_STAGE
    from lab.running.record import record as recorded
    from lab.scenario import enlarged, find_scenario, load_scenario

    (chosen,) = enlarged([load_scenario(find_scenario(scenario))], devices)
    past = past_of(before, poison)
    if past and stage not in (USUAL_STAGE, PAST_STAGE):
        raise typer.BadParameter(f"--stage: found {stage} with --past, expected {PAST_STAGE}: no other plays a past")
    folder = fit_folder(out or Path("out") / f"{chosen.name}-s{seed}{'-past' if past else ''}", made=False)
    with progress(f"record {chosen.name}") as advance:
        wishes = {"real_tls": real_tls, "speed": speed, "lab": lab, "pin": pin, "passthrough": passthrough}
        wished = {name: wish for name, wish in wishes.items() if wish}
        where = PAST_STAGE if past else stage
        recorded(where, chosen, seed, folder, past=past, replace=force, progress=advance, **wished)
    summary = open_recording(folder).summary()
    say_not_played([folder])
    if json_:
        emit_json(summary)
    else:
        emit("\n".join(f"{key}: {value}" for key, value in summary.items()))


def say_not_played(recordings: Iterable[Path]) -> None:
    """What recordings left out of their scenarios' conditions, one line each."""
    for folder in recordings:
        manifest = json.loads((folder / "recording.json").read_bytes())
        if manifest.get("not_played"):
            say(f"not played on stage {manifest['stage']}: {', '.join(manifest['not_played'])} ({folder.name})")
