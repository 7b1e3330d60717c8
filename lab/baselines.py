"""Baselines on request: learned from recordings and captures, shown, merged, and put beside what is to be judged.

A recording's truth is never opened: what is learned is what a sensor showed. Implants included, hence docs/baseline.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

from detector.baseline import Baseline, learn, merged
from detector.contract import Advance, Progress, Telemetry, open_telemetry
from detector.contract import view as view_named
from lab.console import plural, printable, say, screen

SHOWN = 3  # protocols and ports of a category in the table


def learned_from(
    recordings: Sequence[Path],
    view: str,
    *,
    allow_partial: bool,
    progress: Callable[[str], AbstractContextManager[Advance]],
) -> Baseline:
    """What the recordings and captures, at least one, show to be normal through a view; stderr says which came twice.

    Raises EvidenceError for damaged input unless ``allow_partial``; LookupError for an unknown view.
    """
    narrow = view_named(view)
    lessons: list[Baseline] = []
    for path in recordings:
        with progress(f"learn {path.name}") as advance:
            telemetry = narrow(_read(path, allow_partial=allow_partial, advance=advance))
            found = learn(telemetry)
        if telemetry.partial:
            say(f"{path}: PARTIAL EVIDENCE: {telemetry.partial}")
        if not found.devices:
            say(f"{path}: nothing to learn: no device in it opened a flow or looked a name up")
        if any(found.parts == other.parts for other in lessons):
            say(f"{path}: the same as one before, counted once")
        lessons.append(found)
    return merged(lessons)


def merged_files(paths: Sequence[Path], learned: Sequence[Baseline] = ()) -> Baseline:
    """The baselines of some files, and those given, as one; stderr says how many recordings they had in common."""
    baselines = [*learned, *(Baseline.read(path) for path in paths)]
    found = merged(baselines)
    if twice := sum(len(one.parts) for one in baselines) - len(found.parts):
        say(f"{plural(twice, 'recording')} of these had been learned already: counted once")
    return found


def read_baseline(path: Path, view: str) -> Baseline:
    """The baseline of a file for telemetry of that view; LookupError for another: each sensor has its own normal."""
    found = Baseline.read(path)
    if found.view != view:
        again = f"droidrange baseline learn RECORDING... --view {view} -o FILE"
        raise LookupError(f"{path}: found a baseline of view {found.view}, expected {view}; learn one with: {again}")
    return found


def beside(source: Path, telemetry: Telemetry, baseline: Baseline) -> Telemetry:
    """The telemetry read from ``source`` with the baseline; stderr says how much of it is known."""
    known = baseline.coverage(telemetry)
    say(f"{source}: {known}, from {plural(int(baseline.device_days), 'device-day')}")
    if known.stranger:
        say(f"warning: {source}: is the baseline another enterprise's? What it does not know looks new to everybody")
    return replace(telemetry, baseline=baseline)


def print_baseline(about: dict[str, Any]) -> None:
    """What ``Baseline.summary`` says, on stdout."""
    from rich.table import Table
    from rich.text import Text

    console = screen()
    heads = [
        f"view {about['view']}, {plural(about['recordings'], 'recording')}, {about['from']} to {about['to']}",
        ", ".join(plural(about[f"{name}s".replace("-", "_")], name) for name in ("device", "device-day", "app")),
        f"{plural(about['destinations'], 'destination')}, {about['destinations_of_few']} of them on at most 3 devices",
    ]
    console.print(printable("\n".join(heads)), soft_wrap=True, markup=False)
    if not about["categories"]:
        return
    table = Table(box=None, pad_edge=False)
    for name in ("category", "apps", "devices", "destinations", "contacts/day", "protocols", "ports"):
        table.add_column(
            name, justify="left" if name in ("category", "protocols", "ports") else "right", overflow="fold"
        )
    for row in about["categories"]:
        counts = (row["apps"], row["devices"], row["destinations"])
        rate = "unknown" if row["contacts_per_day"] is None else f"{row['contacts_per_day']:.3g}"
        cells = (row["category"], *map(str, counts), rate, _few(row["protocols"]), _few(row["ports"]))
        table.add_row(*(Text(printable(cell)) for cell in cells))
    console.print(table)


def _few(values: list[str | int] | None) -> str:
    if values is None:
        return "unknown"
    more = f" +{len(values) - SHOWN}" if len(values) > SHOWN else ""
    return ", ".join(map(str, values[:SHOWN])) + more


def _read(path: Path, *, allow_partial: bool, advance: Advance) -> Telemetry:
    """The telemetry of a capture, or of a recording whose manifest has been proved, its truth left shut."""
    from lab.recording import open_recording

    if not path.exists():
        raise FileNotFoundError(2, "no such recording or capture", str(path))
    if not path.is_dir():
        return open_telemetry(path, allow_partial=allow_partial, progress=Progress(advance))
    if not (path / "recording.json").exists() and not (path / "telemetry").is_dir():
        if any(one.is_file() for one in path.iterdir()):
            return open_telemetry(path, allow_partial=allow_partial, progress=Progress(advance))
        what = "no recording and no logs; name one, such as RUN/recordings/NAME, or captures, such as FOLDER/*.pcap"
        raise FileNotFoundError(2, what, str(path))
    recording = open_recording(path, allow_partial=allow_partial, truth=False)
    telemetry = open_telemetry(recording.telemetry, allow_partial=allow_partial, progress=Progress(advance))
    faults = [fault for fault in (recording.partial, telemetry.partial) if fault]
    return replace(telemetry, partial="; ".join(faults) or None)
