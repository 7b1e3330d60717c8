"""The page of parity: a part for each pair of stages, of what is held in sum and of what differs.

It knows neither how recordings are made nor what is compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from detector.measures import Measured
from detector.parity import Compared, Pair, differences

SUITES = {"flows": "core", "live": "live"}  # the stages that are held against wire, and on what
SHOWN = 60  # lines of what differs that a part has
PART = "<!-- {} -->"  # what begins a stage's part of the page
HEAD = """# Parity of the stages: wire and {stage}

Made by `make bench-parity`: every scenario of the suite is recorded on both stages from the same timeline, and the
bundled detector measures both recordings. Of each incident, and of each ordinary app and destination with enough
contacts to be looked at, every value that a verdict is made of is compared. Here are the sums and what differs; every
value is in out/parity/{stage}.md afterwards.

Tolerances: 2 % for what depends on times, 10 % for what depends on sizes or on both, none for counts of requests,
streams, destinations and TLS clients (``stacks``) and for names. Seconds, bytes and counts differ by parts of the
larger value, shares from 0 to 1 by parts of that scale. A group or value that only one stage shows is outside. What
AN1702 measures is compared over one window, the worst on wire. Parity is held where every value of every incident is
within and no group alerts on one stage alone (two scores less than 0.001 apart are one, wherever the threshold lies);
what ordinary apps differ in is counted and listed beside it.
"""
INDEPENDENT = """Both sides go through the detector's own reader of captures or share its laws: the flows stage takes idle times, the
rule of directions and the reading of first bytes from detector/capture, so a fault of the reader would be on both sides
and differ nowhere. One check stands outside: tests/test_parity_with_tshark.py (marker whole) holds the flows table of
this stage against what tshark counts in the wire stage's capture, conversation by conversation: how many, bytes each
way, and when they began.
"""


@dataclass(frozen=True)
class Outcome:
    """What became of one scenario: its groups on both stages with what truth calls each, or why there are none."""

    scenario: str
    pairs: Sequence[Pair] = ()
    incidents: dict[tuple[object, ...], str] = field(default_factory=dict)  # key -> incident
    behaviours: dict[tuple[object, ...], str] = field(default_factory=dict)  # key -> behaviour
    fault: str = ""
    other: str = "live"  # the stage beside wire

    @property
    def held(self) -> bool:
        """Whether it was measured on both stages, incidents within the tolerances, and every verdict the same.

        An ordinary app that is just enough to be looked at on one stage only, and is quiet there, is no breach.
        """
        return not self.fault and all(pair.within for pair in self.of_incidents) and not self.verdicts

    @property
    def of_incidents(self) -> list[Pair]:
        """The groups that truth calls an incident."""
        return [pair for pair in self.pairs if pair.shown.key in self.incidents]

    @property
    def verdicts(self) -> int:
        """How many groups alert on one stage and do not on the other."""
        return sum(not pair.same_verdict for pair in self.pairs)


def _outside(pairs: Sequence[Pair]) -> int:
    return sum(len(pair.outside) + (None in (pair.one, pair.other)) for pair in pairs)


def page(outcomes: Sequence[Outcome], *, seed: int, speed: float) -> str:
    """One stage's part of docs/parity.md."""
    stage = outcomes[0].other if outcomes else "live"
    made = f"Seed {seed}, live at `--speed {speed:g}`.\n" if stage == "live" else f"Seed {seed}.\n"
    parts = [HEAD.format(stage=stage), *([INDEPENDENT] if stage == "flows" else []), made]
    parts += ["## Scenarios\n", *overview(outcomes), "\n## What differs\n"]
    lines = list(_differs(outcomes))
    more = [f"- and {len(lines) - SHOWN} more: out/parity/{stage}.md"] if len(lines) > SHOWN else []
    return "\n".join([*parts, *lines[:SHOWN], *more]) + "\n"


def detail(outcomes: Sequence[Outcome]) -> str:
    """Every value of every incident, every ordinary group, and all that differs."""
    parts = ["# Every value\n", "## Incidents\n", *_incidents(outcomes), "\n## Ordinary apps\n", *_ordinary(outcomes)]
    return "\n".join([*parts, "\n## What differs\n", *_differs(outcomes)]) + "\n"


def overview(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """The table with a row for each scenario."""
    yield "| scenario | incidents | values | outside | ordinary groups | outside | verdicts that differ | parity |"
    yield "|---|--:|--:|--:|--:|--:|--:|---|"
    for one in outcomes:
        if one.fault:
            yield f"| {one.scenario} | | | | | | | FAILED: {one.fault.replace('|', '/')} |"
            continue
        ordinary = [pair for pair in one.pairs if pair.shown.key not in one.incidents]
        values = sum(len(pair.values) for pair in one.of_incidents)
        counts = f"{len(set(one.incidents.values()))} | {values} | {_outside(one.of_incidents)}"
        counts += f" | {len(ordinary)} | {_outside(ordinary)} | {one.verdicts}"
        yield f"| {one.scenario} | {counts} | {'held' if one.held else 'BROKEN'} |"


def _incidents(outcomes: Sequence[Outcome]) -> Iterator[str]:
    yield f"| scenario | protocol | incident, analytic, peer | feature | wire | {_other(outcomes)} | difference | within |"
    yield "|---|---|---|---|--:|--:|--:|---|"
    for one in outcomes:
        for pair in (pair for pair in one.pairs if pair.shown.key in one.incidents):
            group = pair.shown
            who = f"{one.incidents[group.key]}, {group.analytic}{f', {group.peer}' if group.peer else ''}"
            begin = f"| {one.scenario} | {_protocol(group)} | {who} |"
            same = "yes" if pair.same_verdict and None not in (pair.one, pair.other) else "NO"
            yield f"{begin} **verdict** | {_verdict(pair.one)} | {_verdict(pair.other)} | | {same} |"
            yield from (f"{begin} {_cells(value)}" for value in pair.values)


def _ordinary(outcomes: Sequence[Outcome]) -> Iterator[str]:
    beside = _other(outcomes)
    yield f"| scenario | protocol | device, app, peer | behaviour | analytic | verdict wire | {beside} | values | outside |"
    yield "|---|---|---|---|---|---|---|--:|---|"
    for one in outcomes:
        for pair in (pair for pair in one.pairs if pair.shown.key not in one.incidents):
            group = pair.shown
            who = ", ".join(part for part in (group.device, group.package, group.peer) if part)
            wrong = ", ".join(value.feature for value in pair.outside) or ("none" if pair.within else "ALL")
            begin = f"| {one.scenario} | {_protocol(group)} | {who} | {one.behaviours[group.key]} | {group.analytic} |"
            yield f"{begin} {_verdict(pair.one)} | {_verdict(pair.other)} | {len(pair.values)} | {wrong} |"


def _differs(outcomes: Sequence[Outcome]) -> Iterator[str]:
    lines = [f"- {one.scenario}: {line}" for one in outcomes for line in differing(one)]
    yield from lines or ["Nothing."]


def differing(one: Outcome) -> Iterator[str]:
    """What is not the same, a line each."""
    if one.fault:
        yield f"not compared: {one.fault}"
    beside = one.other if one.other == "live" else f"on {one.other}"
    for pair, value in differences(one.pairs):
        group = pair.shown
        who = f"{group.analytic} {' '.join(part for part in (group.device, group.package, group.peer) if part)}"
        if value is not None:
            found = f"{_number(value.one)} on wire, {_number(value.other)} {beside}"
            yield f"{who}: {value.feature} {found}, tolerance {value.tolerance:.0%}"
        elif None in (pair.one, pair.other):
            yield f"{who}: seen on {'wire' if pair.one else one.other} only"
        if not pair.same_verdict and (value is None or value is pair.outside[0]):
            yield f"{who}: verdict {_verdict(pair.one)} on wire, {_verdict(pair.other)} {beside}"


def _other(outcomes: Sequence[Outcome]) -> str:
    return outcomes[0].other if outcomes else "live"


def _cells(value: Compared) -> str:
    difference = "" if value.difference is None else f"{value.difference:.1%}"
    within = "yes" if value.within else "NO"
    return f"{value.feature} | {_number(value.one)} | {_number(value.other)} | {difference} | {within} |"


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.4g}" if abs(value) < 1000 else f"{value:,.0f}"


def _verdict(group: Measured | None) -> str:
    return "not seen" if group is None else f"{'ALERT' if group.alert else 'quiet'} ({group.score:.3f})"


def _protocol(group: Measured) -> str:
    return "/".join(group.protocols) or "any"


def put(text: str, stage: str, part: str) -> str:
    """The page with a stage's part made anew and the others kept; a page without marks is all of stage live."""
    marks = {name: PART.format(name) for name in SUITES}
    known: dict[str, str] = {}
    at = "live"
    for line in text.splitlines():
        at = next((name for name, mark in marks.items() if line == mark), at)
        if line not in marks.values():
            known[at] = known.get(at, "") + line + "\n"
    known[stage] = part
    return "\n".join(f"{marks[name]}\n{known[name].strip()}\n" for name in SUITES if known.get(name, "").strip())
