"""The command line: words in, one call, words out. stdout is the result, stderr the progress.

Every heavy import stands inside the command that needs it, so that ``--help`` stays fast.
Exit codes: 0 fine, 1 gate broken, 2 usage or scenario wrong, 3 lab or evidence failed, 130 interrupted.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lab.console import FAILED, USAGE, emit, emit_json, guarded, progress_bar, say

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
scenario_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="List, show, check and start scenarios.")
detector_app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="The detectors that can be named with --detector."
)
app.add_typer(scenario_app, name="scenario")
app.add_typer(detector_app, name="detector")

Json = Annotated[bool, typer.Option("--json", help="Result as JSON on stdout, nothing else there.")]
Out = Annotated[Path | None, typer.Option("--out", "-o", help="Where to write.")]
Detectors = Annotated[list[str], typer.Option("--detector", help="Detector NAME or NAME:ARG; may be repeated.")]
Partial = Annotated[bool, typer.Option("--allow-partial", help="Go on with damaged evidence and mark what it says.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="The same seed gives the same recording, byte for byte.")]
Stage = Annotated[str, typer.Option("--stage", help="Where the timeline is played: wire.")]


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
    detector: Detectors = ["builtin"],  # noqa: B006 - typer copies it
    view: Annotated[list[str], typer.Option(help="What the sensor shows; may be repeated.")] = ["full"],  # noqa: B006 - typer copies it
    budget: Annotated[float, typer.Option(min=0.0, help="False alarms per device-day you can afford.")] = 0.001,
    out: Out = None,
    json_: Json = False,
) -> None:
    """Play a suite, run the detectors over it, score their findings: SCORECARD and report.html in --out."""
    from lab.scenario import suite_scenarios
    from lab.trial import Plan, run_suite

    name, scenarios = suite_scenarios(suite)
    plan = Plan(name, scenarios, tuple(range(seed, seed + seeds)), stage, tuple(detector), tuple(view), budget)
    folder = out or Path("out") / name
    with progress_bar(f"run {name}", quiet=json_) as advance:
        run_suite(plan, folder, progress=advance)
    _score_run(folder, json_=json_)


@app.command()
@guarded
def score(
    run_dir: Annotated[Path, typer.Argument(help="A run folder, or a recording together with --findings.")],
    *,
    findings: Annotated[Path | None, typer.Option(help="findings.jsonl made elsewhere, for a recording.")] = None,
    view: Annotated[str, typer.Option(help="What the sensor showed when --findings were made.")] = "full",
    detector: Annotated[
        list[str] | None, typer.Option(help="Who took part in --findings even without a word; may be repeated.")
    ] = None,
    out: Out = None,
    json_: Json = False,
) -> None:
    """Score findings against the truth again, from the files of a run or for one recording."""
    if findings is None:
        _score_run(run_dir, json_=json_)
        return
    from lab.submission import score_findings

    card = score_findings(run_dir, findings, view=view, detectors=detector or ())
    if out:
        from lab.recording import write_json

        write_json(out, card.to_json())
    _show(card, json_=json_)


def _score_run(folder: Path, *, json_: bool) -> None:
    from lab.trial import score_folder

    card = score_folder(folder)
    _show(card, json_=json_)
    say(f"scorecard: {folder / 'scorecard.json'}\nreport:    {folder / 'report.html'}")
    _refuse_vacuous(card)


def _show(card: Scorecard, *, json_: bool) -> None:
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
    """Write the HTML report of a run folder again, from its scorecard."""
    from lab.trial import report_folder

    emit(str(report_folder(run_dir, out)))


@app.command()
@guarded
def record(
    scenario: Annotated[str, typer.Argument(help="A scenario's name or the path of its TOML file.")],
    *,
    seed: Seed = 1,
    stage: Stage = "wire",
    real_tls: Annotated[bool, typer.Option(help="Live handshakes and a key log; gives up byte-identity.")] = False,
    force: Annotated[bool, typer.Option(help="Replace a recording that is already there.")] = False,
    out: Out = None,
    json_: Json = False,
) -> None:
    """Play one scenario and keep the recording: telemetry, truth and manifest."""
    from lab.recording import open_recording
    from lab.scenario import compile_scenario, find_scenario, load_scenario
    from lab.stages import play

    chosen = load_scenario(find_scenario(scenario))
    folder = out or Path("out") / f"{chosen.name}-s{seed}"
    with progress_bar(f"record {chosen.name}", quiet=json_) as advance:
        timeline = compile_scenario(chosen, seed)
        play(stage, timeline, folder, real_tls=real_tls, replace=force, progress=advance)
    summary = open_recording(folder).summary()
    if json_:
        emit_json(summary)
    else:
        emit("\n".join(f"{key}: {value}" for key, value in summary.items()))


@app.command()
@guarded
def inspect(target: Path, *, allow_partial: Partial = False, json_: Json = False) -> None:
    """What is in a recording or capture: apps, flows, protocols, and when each destination was contacted."""
    from lab.inspection import inspect_path, print_inspection

    with progress_bar(f"read {target.name}", quiet=json_) as advance:
        seen = inspect_path(target, allow_partial=allow_partial, advance=advance)
    if json_:
        emit_json(seen.to_json())
    else:
        print_inspection(seen)


@app.command()
@guarded
def detect(
    inputs: Annotated[list[Path], typer.Argument(help="Recordings, pcap or pcapng files.")],
    *,
    detector: Detectors = ["builtin"],  # noqa: B006 - typer copies it
    view: Annotated[str, typer.Option(help="What the sensor shows.")] = "full",
    allow_partial: Partial = False,
    out: Out = None,
    json_: Json = False,
) -> None:
    """Run detectors over recordings and captures; findings as a table, as JSON lines, or into a file."""
    from lab.detection import detect_paths, print_findings, write_lines

    with progress_bar("detect", quiet=json_) as advance:
        rows = detect_paths(inputs, tuple(detector), view, allow_partial=allow_partial, advance=advance)
    if out:
        write_lines(out, rows)
    if json_:
        for row in rows:
            emit(row.line())
    elif not out:
        print_findings(rows)


@scenario_app.command("list")
@guarded
def scenario_list(*, json_: Json = False) -> None:
    """All scenarios with their question, analytic, protocols and twin."""
    from lab.catalogue import catalogue, print_catalogue

    rows = catalogue()
    if json_:
        emit_json({"scenarios": rows})
    else:
        print_catalogue(rows)


@scenario_app.command("show")
@guarded
def scenario_show(name: str, *, seed: Seed = 1, json_: Json = False) -> None:
    """One scenario: its question, its apps, and when its incidents speak."""
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
    """Prove every [[expect]] on a recording made for the purpose; no detector is involved."""
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
    """Start a scenario: a commented TOML file that passes scenario check."""
    from lab.catalogue import write_template

    emit(str(write_template(name, out)))


@detector_app.command("list")
@guarded
def detector_list(*, json_: Json = False) -> None:
    """The bundled detectors: name, version, and the tables each cannot do without."""
    from detector.contract import detector, detector_names

    known = [detector(name) for name in detector_names()]
    rows = [{"name": one.name, "version": one.version, "needs": list(one.needs)} for one in known]
    if json_:
        emit_json({"detectors": rows})
    else:
        emit("\n".join(f"{row['name']:12} {row['version']:8} needs {', '.join(row['needs']) or '-'}" for row in rows))


@app.command()
@guarded
def doctor(*, json_: Json = False) -> None:
    """What this machine has and lacks, and the command that mends each lack; exit 3 if a required thing lacks."""
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
    app()
