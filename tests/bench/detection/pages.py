"""The pages of the comparison: the part of docs/detector.md between its marks, and docs/detection-results.md whole.

Text that differs only where a number does: no clock, no seconds, nothing of this machine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.detection.board import FRESH, Board, picked
from tests.bench.detection.entrants import OURS
from tests.bench.detection.splits import TEST
from tests.bench.detection.tables import (
    alarm_rate,
    by_evasion,
    by_period,
    by_scenario,
    delays,
    found_share,
    measure,
    side_by_side,
)

BEGIN, END = "<!-- comparison: made by make bench-detection -->", "<!-- end of comparison -->"
ANALYTICS = {"AN1793": "command polling", "AN1702": "traffic relaying"}
HOW = """Suite `{suite}` on the flows stage. Thresholds are chosen on the calibration side alone (seeds {calibration};
only apps whose name a keyed hash puts there; without the families held out), at {budget:g} false alarms per 1,000
device-days, each detector under each view for itself, and are frozen; the test side (seeds {test}) says the rest. Phones
of a scenario: {devices}; days that a baseline is learnt from before each: {days:g}. The same scenario file under another
seed is another cast and not another idea: `fresh` tables hold only packages and families that were never tuned on.
An alarm about an innocent app is a false one, once per device, app and destination (AN1702: day), on infected phones
too. One about an app that is guilty, but of the other analytic, elsewhere or at another time, is counted apart and not
in the budget (the scorecard of a run counts both): there are hundreds of times as many guilty apps here as anywhere.
What an unknown app speaks to stands for it where a view shows no apps. Intervals: Wilson of recall, Garwood of rates, bootstrap over devices of average precision (AP),
which depends on how rare incidents are: {incidents:,} in {device_days:,.0f} device-days.
"""


@dataclass(frozen=True)
class Made:
    """How a board was made, as the pages tell it."""

    suite: str
    devices: int
    days: float
    detectors: Sequence[str]
    views: Sequence[str]
    verdicts: Sequence[str]
    further: Mapping[str, Sequence[str]] = field(default_factory=dict)  # title -> lines: ablation, poisoning, novelty
    failed: Sequence[str] = ()


def how(board: Board, made: Made) -> str:
    """The paragraph that says what the numbers are."""
    tested = [one for one in board.contents if board.splits.side(one.seed) == TEST]
    incidents = sum(one.incidents.num_rows for one in tested)
    return HOW.format(
        suite=made.suite,
        calibration=", ".join(map(str, board.splits.calibration)),
        test=", ".join(map(str, board.splits.test)),
        budget=1.0,
        devices=made.devices,
        days=made.days,
        incidents=incidents,
        device_days=sum(one.device_days for one in tested),
    )


def summary(board: Board, made: Made) -> str:
    """What stands in docs/detector.md."""
    parts = [how(board, made), "### What issue 5 asks\n", *(f"- {line}" for line in made.verdicts)]
    for analytic, name in ANALYTICS.items():
        parts += [f"\n### {name.capitalize()} ({analytic}), view `full`, {TEST}\n"]
        parts += side_by_side(board, made.detectors, "full", analytic)
    parts += ["\nMore: [detection-results.md](detection-results.md)."]
    return "\n".join(parts)


def page(board: Board, made: Made) -> str:
    """docs/detection-results.md."""
    parts = [
        "# Detection results\n",
        "Made by `make bench-detection`; change nothing here by hand.\n",
        how(board, made),
        *(_failed(made.failed)),
    ]
    for analytic, name in ANALYTICS.items():
        parts += [f"\n## {name.capitalize()} ({analytic})\n", *_analytic(board, made, analytic)]
    for title, lines in made.further.items():
        parts += [f"\n## {title}\n", *lines]
    return "\n".join(parts) + "\n"


def _failed(failed: Sequence[str]) -> list[str]:
    return (
        [f"**{len(failed)} looks or cases failed and are in no number:** {'; '.join(failed[:10])}\n"] if failed else []
    )


def _analytic(board: Board, made: Made, analytic: str) -> Iterator[str]:
    for view in made.views:
        yield f"\n### View `{view}`, all of the test side\n"
        yield from side_by_side(board, made.detectors, view, analytic)
    yield "\n### View `full`, fresh alone: packages and families never tuned on\n"
    yield from side_by_side(board, made.detectors, "full", analytic, FRESH)
    yield from _ours(board, made, analytic)


def _ours(board: Board, made: Made, analytic: str) -> Iterator[str]:
    """The bundled detector in detail, under the full view."""
    one = measure(board, OURS, "full", analytic)
    if one is None:
        return
    yield f"\n### `{OURS}`: threshold {one.threshold:.4f}, chosen on {one.calibrated_on:,.0f} device-days\n"
    if analytic == "AN1793":
        yield "Found of incidents, by period and jitter:\n"
        yield from by_period(one)
        yield ""
    yield from by_evasion(one, analytic)
    held_out = picked(one.incidents, one.ranked, lambda it: it.scenario in board.splits.held_out)
    if len(held_out.found):
        yield f"\nFamilies held out alone: {found_share(held_out, one.threshold)}."
    yield f"\nFalse alarms: {alarm_rate(one.ranked, one.threshold)}.\n"
    yield "Time to detect, view `full`:\n"
    yield from delays(board, made.detectors, "full", analytic)
    yield ""
    yield from by_scenario(one)


def inserted(text: str, part: str) -> str:
    """A page with the part between its marks made anew; at its end where it has no marks yet.

    >>> inserted("a\\n", "b").endswith(f"{BEGIN}\\nb\\n{END}\\n")
    True
    """
    whole = f"{BEGIN}\n{part.strip()}\n{END}\n"
    if BEGIN in text and END in text:
        before, _, rest = text.partition(BEGIN)
        return before + whole.rstrip("\n") + rest.partition(END)[2]
    return f"{text.rstrip()}\n\n## Comparison\n\n{whole}"


def write(board: Board, made: Made, docs: Path) -> None:
    """Writes both pages."""
    detector = docs / "detector.md"
    detector.write_text(inserted(detector.read_text(encoding="utf-8"), summary(board, made)), encoding="utf-8")
    (docs / "detection-results.md").write_text(page(board, made), encoding="utf-8")
