"""The command that plays one scenario, or the days before it, and keeps the recording."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from lab.console import emit, emit_json, guarded, progress, say
from lab.options import Before, Devices, Json, LabId, Novel, Out, Poison, Seed, Speed, Stage, fit_folder, past_of

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
    novel: Novel = None,
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
    past = past_of(before, poison, novel)
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
        emit("\n".join(f"{what + ':':10} {said}" for what, said in in_words(summary)))


def in_words(summary: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """A recording's summary for a person: (what, said) line by line; what there is nothing to say of is left out."""
    from lab.report.words import duration

    yield "recording", str(summary["recording"])
    fleet = f", {summary['devices']:,} phones" if summary.get("devices") else ""
    yield "scenario", f"{summary['scenario']}, seed {summary['seed']}{fleet}"
    speed = "" if summary["speed"] == 1 else f" at {summary['speed']:g} times its pace"
    yield "stage", f"{summary['stage']}{speed}"
    yield "span", duration(summary["span_s"])
    if past := summary.get("past"):
        poison = f", of what is labelled {past['poison']:.0%} was there" if past["poison"] else ", nothing labelled"
        novel = f", {100 * past['novel']:.3g}% of its look-alikes not yet" if "novel" in past else ""
        yield "past", f"the {duration(past['learn_s'])} before the scenario{poison}{novel}"
    packets = summary["packets"]
    yield "packets", "none, tables only" if packets is None else f"{packets:,}"
    yield "size", f"{summary['bytes']:,} bytes"
    if summary.get("not_played"):
        yield "not played", ", ".join(summary["not_played"])
    yield "sha256", summary["sha256"]
    if summary["partial"]:
        yield "partial", summary["partial"]


def say_not_played(recordings: Iterable[Path]) -> None:
    """What recordings left out of their scenarios' conditions, one line each."""
    for folder in recordings:
        manifest = json.loads((folder / "recording.json").read_bytes())
        if manifest.get("not_played"):
            say(f"not played on stage {manifest['stage']}: {', '.join(manifest['not_played'])} ({folder.name})")
