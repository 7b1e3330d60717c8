"""The command line: words in, one call, words out. stdout is the result, stderr the progress.

Every heavy import stands inside the command that needs it, so that ``--help`` stays fast.
Exit codes: 0 fine, 1 gate broken, 2 usage or scenario wrong, 3 lab or evidence failed, 130 interrupted.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lab.cli_baseline import baseline_app
from lab.cli_canary import canary
from lab.cli_catalogue import behaviour_app, detector_app, protocol_app, scenario_app
from lab.cli_compare import compare, history
from lab.cli_detect import detect
from lab.cli_export import export
from lab.cli_gate import gate, mutate
from lab.cli_inject import inject
from lab.cli_lab import lab_app
from lab.cli_record import record, say_not_played
from lab.cli_replay import replay
from lab.cli_tune import tune
from lab.cli_wire import wire_app
from lab.console import FAILED, INTERRUPTED, STOPPED, emit, emit_json, guarded, progress, say
from lab.options import (
    Detectors,
    Devices,
    Json,
    LabId,
    Learn,
    Novel,
    Out,
    Partial,
    Poison,
    Seed,
    Speed,
    Stage,
    Vary,
    fit_folder,
    past_of,
    varied,
)

if TYPE_CHECKING:
    from lab.score import Scorecard

app = typer.Typer(
    name="droidrange",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: rich would cost 0.15 s of every --help
    context_settings={"help_option_names": ["-h", "--help"]},
    help="A firing range for Android network detections: labelled traffic, any detector, scores you can trust.",
    epilog="Exit codes: 0 fine, 1 gate broken, 2 usage or scenario wrong, 3 lab or evidence failed, 130 interrupted.",
)
app.add_typer(scenario_app, name="scenario")
app.add_typer(behaviour_app, name="behaviour")
app.add_typer(protocol_app, name="protocol")
app.add_typer(detector_app, name="detector")
app.add_typer(baseline_app, name="baseline")
app.add_typer(lab_app, name="lab")
lab_app.add_typer(wire_app, name="wire")
lab_app.command("canary")(canary)


@app.callback(invoke_without_command=True)
def root(*, version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False) -> None:
    """A firing range for Android network detections."""
    if version:
        from lab.recording import droidrange_version

        emit(droidrange_version())
        raise typer.Exit


@app.command()
@guarded
def run(
    suite: Annotated[str, typer.Argument(help="A suite, a scenario, or the path of either.")] = "core",
    *,
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds of every scenario, counted from --seed.")] = 1,
    seed: Seed = 1,
    stage: Stage = "wire",
    speed: Speed = None,
    lab: LabId = None,
    detector: Detectors = ["builtin"],  # noqa: B006 - typer copies it
    view: Annotated[list[str], typer.Option(help="What the sensor shows; may be repeated.")] = ["full"],  # noqa: B006 - typer copies it
    budget: Annotated[float, typer.Option(min=0.0, help="False alarms per device-day you can afford.")] = 0.001,
    learn: Learn = None,
    poison: Poison = None,
    novel: Novel = None,
    devices: Devices = None,
    vary: Vary = None,
    out: Out = None,
    json_: Json = False,
) -> None:
    """Play a suite, detect, score, report.

    --out is a folder: it keeps recordings, findings, scorecard.json and report.html. With --vary what has the setting
    that is turned, and its twins, are played in every cell, and the scorecard maps how much is found where.
    """
    from lab.running.extent import refuse_absurd
    from lab.running.trial import Plan, run_suite
    from lab.scenario import enlarged, suite_scenarios

    name, scenarios = suite_scenarios(suite)
    scenarios, past = enlarged(scenarios, devices), past_of(learn, poison, novel)
    scenarios, axes = varied(scenarios, vary)
    refuse_absurd(scenarios, seeds, stage, looks=len(detector) * len(view), learn=past.learn if past else 0)
    folder = fit_folder(out or Path("out") / name)
    wishes = {name: wish for name, wish in (("speed", speed), ("lab", lab)) if wish is not None}
    asked = (tuple(range(seed, seed + seeds)), stage, tuple(detector), tuple(view), budget, wishes)
    by_path = suite if suite != name else ""
    plan = Plan(name, scenarios, *asked, past=past, devices=devices or 0, vary=axes, asked=by_path)
    with progress(f"run {name}") as advance:
        run_suite(plan, folder, progress=advance)
    _score_run(folder, json_=json_)


@app.command()
@guarded
def score(
    run_dir: Annotated[Path, typer.Argument(help="A run folder, or a recording together with --findings.")],
    *,
    findings: Annotated[
        Path | None, typer.Option(help="What a tool said of a recording: findings.jsonl, EVE, RITA, Slips.")
    ] = None,
    view: Annotated[str, typer.Option(help="What the sensor showed when --findings were made.")] = "full",
    detector: Annotated[
        list[str] | None, typer.Option(help="Who took part in --findings even without a word; may be repeated.")
    ] = None,
    out: Out = None,
    json_: Json = False,
) -> None:
    """Score findings against the truth again.

    Of a run, from its files; or findings made elsewhere, for one recording. --out is a file.
    """
    if findings is None:
        _score_run(run_dir, json_=json_, out=out)
        return
    from lab.running.submission import score_findings

    _show(score_findings(run_dir, findings, view=view, detectors=detector or ()), json_=json_, out=out)


def _score_run(folder: Path, *, json_: bool, out: Path | None = None) -> None:
    from lab.running.trial import score_folder

    card = score_folder(folder, progress)
    _show(card, json_=json_, out=out)
    say_not_played(path.parent for path in sorted(folder.glob("recordings/*/recording.json")))
    say(f"scorecard: {folder / 'scorecard.json'}\nreport:    {folder / 'report.html'}")
    _refuse_vacuous(card)


def _show(card: Scorecard, *, json_: bool, out: Path | None) -> None:
    if out:
        from lab.recording import write_json

        write_json(out, card.to_json())
    if json_:
        emit_json(card.to_json())
        return
    from lab.report.terminal import print_scorecard

    print_scorecard(card)


def _refuse_vacuous(card: Scorecard) -> None:
    """A failed trial or a run without a single score is never a pass: exit 3."""
    if card.refusal:
        say(f"error: {card.refusal}")
        raise typer.Exit(FAILED)


@app.command()
@guarded
def report(run_dir: Path, *, out: Out = None) -> None:
    """Write the HTML report of a run again."""
    from lab.running.trial import report_folder

    with progress("report") as advance:
        written = report_folder(run_dir, out, advance=advance)
    emit(str(written))


app.command()(record)
app.command()(gate)
app.command()(mutate)
app.command()(tune)
app.command()(export)
app.command()(compare)
app.command()(history)
app.command()(detect)
app.command()(inject)
app.command()(replay)


@app.command()
@guarded
def inspect(target: Path, *, allow_partial: Partial = False, json_: Json = False) -> None:
    """Show what a recording or capture holds.

    Apps, flows, protocols, and when each destination was contacted.
    """
    from lab.inspection import inspect_path, print_inspection

    with progress(f"read {target.name}") as advance:
        seen = inspect_path(target, allow_partial=allow_partial, advance=advance)
    if json_:
        emit_json(seen.to_json())
    else:
        print_inspection(seen)


@app.command()
@guarded
def doctor(*, json_: Json = False) -> None:
    """Show what this machine has and lacks.

    With the command that mends each lack; exit 3 if a required thing lacks.
    """
    from lab.doctor import checks

    found = checks()
    if json_:
        emit_json({"checks": [vars(check) for check in found]})
    else:
        for check in found:
            mark = "ok  " if check.ok else "LACK" if check.required else "    "
            emit(f"{mark} {check.name:16} {check.found}" + ("" if check.ok else f"   mend: {check.mend}"))
    if any(check.required and not check.ok for check in found):
        raise typer.Exit(FAILED)


def main() -> None:
    """The entry point of the ``droidrange`` command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal of few characters is no reason to fail
    try:
        app()
    except SystemExit as left:
        if isinstance(getattr(left.__context__, "__cause__", None), KeyboardInterrupt):
            say(STOPPED)  # typer makes 130 of one before or after a command's own guard, and says nothing
        raise
    except KeyboardInterrupt:
        say(STOPPED)
        sys.exit(INTERRUPTED)
