"""The command line's catalogue: scenarios, kinds, protocols and detectors, to be listed, shown and checked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from lab.console import USAGE, emit, emit_json, guarded, progress, say
from lab.options import Json, Out, Partial, Seed

scenario_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="List, show, check and start scenarios.")
behaviour_app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="What apps do: the kinds of behaviour and their settings."
)
protocol_app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="What conversations are made of: the protocols and their options."
)
detector_app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="The detectors that can be named with --detector."
)


@scenario_app.command("list")
@guarded
def scenario_list(
    *,
    suite: Annotated[str, typer.Option(help="Only those of this suite.")] = "",
    analytic: Annotated[str, typer.Option(help="Only those about AN1793 or AN1702, with their twins.")] = "",
    protocol: Annotated[str, typer.Option(help="Only those about this protocol; http+tls is http too.")] = "",
    malicious: Annotated[
        bool | None, typer.Option("--malicious/--benign", help="Only those with a label, or without.")
    ] = None,
    json_: Json = False,
) -> None:
    """List scenarios with twin, analytic, technique, protocol."""
    from lab.catalogue.listing import Wanted, catalogue, chosen, print_catalogue

    rows = chosen(catalogue(), Wanted(suite, analytic, protocol, malicious))
    if json_:
        emit_json({"scenarios": rows})
    else:
        print_catalogue(rows)


@scenario_app.command("show")
@guarded
def scenario_show(name: str, *, seed: Seed = 1, json_: Json = False) -> None:
    """Show one scenario and its twin.

    Apps and settings, promises, what differs from the twin, and when each speaks, over what its phone does.
    """
    from lab.catalogue.sheet import show
    from lab.catalogue.sheet_terminal import print_scenario

    shown = show(name, seed)
    if json_:
        emit_json(shown)
    else:
        print_scenario(shown)


@scenario_app.command("check")
@guarded
def scenario_check(
    paths: Annotated[list[str] | None, typer.Argument(help="Scenarios, suites or TOML files; all if none.")] = None,
    *,
    seed: Seed = 1,
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds of every scenario, counted from --seed.")] = 1,
    stage: Annotated[str, typer.Option("--stage", help="Where to play: wire, or flows, which is quicker.")] = "wire",
    json_: Json = False,
) -> None:
    """Prove every [[expect]] of scenarios.

    On a recording made for the purpose; no detector is involved. A line for each promise, and the sum. Exit 2: one is
    not kept. Exit 3: one did not play.
    """
    from lab.catalogue.proving import check, counts, exit_code
    from lab.catalogue.proving_terminal import print_checks

    with progress("scenario check") as advance:
        results = check(paths or [], range(seed, seed + seeds), advance, stage=stage)
    if json_:
        emit_json({"checks": results, "counts": counts(results)})
    else:
        print_checks(results)
    if code := exit_code(results):
        raise typer.Exit(code)


@scenario_app.command("shortcuts")
@guarded
def scenario_shortcuts(
    suites: Annotated[list[str] | None, typer.Argument(help="Suites or their TOML files; core if none.")] = None,
    *,
    worst: Annotated[int, typer.Option(min=1, help="How many traits of each suite to show.")] = 8,
    json_: Json = False,
) -> None:
    """Tell whether anything but behaviour gives a suite away.

    Each trait (names, addresses, TLS shape, category, rights, start ...) must have an AUC within 0.5 +- 0.1. What a
    suite has too few apps for is judged over all suites. Nothing is played. Exit 2: a leak, or what looks like one and
    nobody can judge.
    """
    from lab.catalogue.shortcuts import shortcuts
    from lab.catalogue.shortcuts_terminal import print_shortcuts
    from lab.scenario import load_suite

    for name in suites or ():
        load_suite(name)  # one scenario alone has nobody to be held against
    with progress("scenario shortcuts") as advance:
        reports = shortcuts(suites or ["core"], advance)
    if json_:
        emit_json({"shortcuts": [one.to_json() for one in reports]})
    else:
        print_shortcuts(reports, worst=worst)
    if any(one.leaks or one.doubtful(reports[-1]) for one in reports):
        raise typer.Exit(USAGE)


@scenario_app.command("new")
@guarded
def scenario_new(
    name: str,
    *,
    from_capture: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Timing and sizes after a capture, Zeek folder or recording.")
    ] = None,
    device: Annotated[str, typer.Option(help="Of the capture: this device, by name or address.")] = "",
    peer: Annotated[str, typer.Option(help="Of the capture: this destination, a name, domain or address.")] = "",
    app: Annotated[str, typer.Option(metavar="PACKAGE", help="Of the capture: this app.")] = "",
    label: Annotated[str, typer.Option(help="AN1793 if you know that it is malicious; else benign.")] = "",
    allow_partial: Partial = False,
    out: Out = None,
    json_: Json = False,
) -> None:
    """Write a scenario to start from.

    A commented TOML file that passes scenario check. With --from-capture, one app and destination of the capture are
    imitated; where several could be and none is named, they are listed. Exit 2: name one. Exit 3: nothing to measure.
    """
    from lab.catalogue.listing import new_place, write_template

    if from_capture is None:
        if device or peer or app or label or allow_partial:
            raise typer.BadParameter("--device, --peer, --app, --label and --allow-partial go with --from-capture FILE")
        path = write_template(name, out)
        emit_json({"schema_version": 1, "path": str(path)}) if json_ else emit(str(path))
        return
    if label not in {"", "AN1793"}:
        raise typer.BadParameter(f"--label: found '{label}', expected AN1793: only polling is proposed after a capture")
    from lab.authoring.from_capture import Wanted
    from lab.catalogue.imitating import propose

    place, wanted = new_place(name, out), Wanted(device, peer, app)
    with progress("scenario new") as advance:
        made = propose(from_capture, place, wanted, label=label, allow_partial=allow_partial, advance=advance)
    if json_:
        emit_json(made.to_json())
    else:
        emit(str(made.path) if made.path else made.listing())
    say(made.told())
    if made.path is None:
        raise typer.Exit(USAGE)


@behaviour_app.command("list")
@guarded
def behaviour_list(*, json_: Json = False) -> None:
    """List the kinds of behaviour."""
    from lab.catalogue.kind_sheet import behaviour_rows
    from lab.catalogue.kind_terminal import print_behaviours

    rows = behaviour_rows()
    if json_:
        emit_json({"behaviours": rows})
    else:
        print_behaviours(rows)


@behaviour_app.command("show")
@guarded
def behaviour_show(kind: str, *, json_: Json = False) -> None:
    """Show one kind with its settings.

    Their defaults, units, ranges and sources, and who uses it.
    """
    from lab.catalogue.kind_sheet import behaviour_sheet
    from lab.catalogue.kind_terminal import print_behaviour

    sheet = behaviour_sheet(kind)
    if json_:
        emit_json(sheet)
    else:
        print_behaviour(sheet)


@protocol_app.command("list")
@guarded
def protocol_list(*, json_: Json = False) -> None:
    """List the protocols."""
    from lab.catalogue.kind_sheet import protocol_rows
    from lab.catalogue.kind_terminal import print_protocols

    rows = protocol_rows()
    if json_:
        emit_json({"protocols": rows})
    else:
        print_protocols(rows)


@protocol_app.command("show")
@guarded
def protocol_show(name: str, *, json_: Json = False) -> None:
    """Show one protocol with its options."""
    from lab.catalogue.kind_sheet import protocol_sheet
    from lab.catalogue.kind_terminal import print_protocol

    sheet = protocol_sheet(name)
    if json_:
        emit_json(sheet)
    else:
        print_protocol(sheet)


@detector_app.command("list")
@guarded
def detector_list(*, json_: Json = False) -> None:
    """List the bundled detectors."""
    from detector.contract import detector, detector_argument, detector_names

    rows = [_bare(name, detector_argument(name)) for name in detector_names() if detector_argument(name)]
    known = [detector(name) for name in detector_names() if not detector_argument(name)]
    rows += [{"name": one.name, "argument": None, "version": one.version, "needs": list(one.needs)} for one in known]
    rows.sort(key=lambda row: row["name"])
    if json_:
        emit_json({"detectors": rows})
    else:
        emit("\n".join(_listed(row) for row in rows))


def _bare(name: str, argument: str) -> dict[str, Any]:
    """A detector that is nothing before it is given a rule: version and needed tables are the rule's."""
    return {"name": name, "argument": argument, "version": None, "needs": []}


def _listed(row: dict[str, Any]) -> str:
    if row["argument"]:
        return f"{row['name']}:{row['argument']}"
    return f"{row['name']:12} {row['version']:8} needs {', '.join(row['needs']) or '-'}"


@detector_app.command("check")
@guarded
def detector_check(
    name: str,
    *,
    seconds: Annotated[float, typer.Option(min=1, help="How long one look may take.")] = 120.0,
    json_: Json = False,
) -> None:
    """Try a detector on nothing, on nonsense, twice on the same, and beside labels that lie.

    Says whether its findings can be trusted to be its own; how good they are, a run tells. Exit 1: a probe failed.
    Exit 3: it cannot judge what it was shown, so nothing is proved.
    """
    from lab.catalogue.probing import exit_code, print_probes, probe

    with progress("detector check") as advance:
        found = probe(name, advance, seconds=seconds)
    if json_:
        emit_json(found)
    else:
        print_probes(found)
    if code := exit_code(found):
        raise typer.Exit(code)
