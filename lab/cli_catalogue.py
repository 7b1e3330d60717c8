"""The command line's catalogue: scenarios and detectors that can be named, listed, shown and checked."""

from __future__ import annotations

from typing import Annotated

import typer

from lab.console import USAGE, emit, emit_json, guarded, progress_bar
from lab.options import Json, Out, Seed

scenario_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="List, show, check and start scenarios.")
detector_app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="The detectors that can be named with --detector."
)


@scenario_app.command("list")
@guarded
def scenario_list(*, json_: Json = False) -> None:
    """List scenarios with question and twin."""
    from lab.catalogue import catalogue, print_catalogue

    rows = catalogue()
    if json_:
        emit_json({"scenarios": rows})
    else:
        print_catalogue(rows)


@scenario_app.command("show")
@guarded
def scenario_show(name: str, *, seed: Seed = 1, json_: Json = False) -> None:
    """Show who speaks when in one scenario."""
    from lab.catalogue import print_scenario, show

    shown = show(name, seed)
    if json_:
        emit_json(shown)
    else:
        print_scenario(shown)


@scenario_app.command("check")
@guarded
def scenario_check(
    paths: Annotated[list[str] | None, typer.Argument(help="Names or TOML files; all scenarios if none.")] = None,
    *,
    seed: Seed = 1,
    json_: Json = False,
) -> None:
    """Prove every [[expect]] of scenarios.

    On a recording made for the purpose; no detector is involved.
    """
    from lab.catalogue import check, print_checks

    with progress_bar("scenario check", quiet=json_) as advance:
        results = check(paths or [], seed, advance)
    if json_:
        emit_json({"checks": results})
    else:
        print_checks(results)
    if not all(result["ok"] for result in results):
        raise typer.Exit(USAGE)


@scenario_app.command("new")
@guarded
def scenario_new(name: str, *, out: Out = None) -> None:
    """Write a scenario to start from.

    A commented TOML file that passes scenario check.
    """
    from lab.catalogue import write_template

    emit(str(write_template(name, out)))


@detector_app.command("list")
@guarded
def detector_list(*, json_: Json = False) -> None:
    """List the bundled detectors."""
    from detector.contract import detector, detector_names

    known = [detector(name) for name in detector_names()]
    rows = [{"name": one.name, "version": one.version, "needs": list(one.needs)} for one in known]
    if json_:
        emit_json({"detectors": rows})
    else:
        emit("\n".join(f"{row['name']:12} {row['version']:8} needs {', '.join(row['needs']) or '-'}" for row in rows))
