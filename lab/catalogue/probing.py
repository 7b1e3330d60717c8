"""The check of a detector: it is tried on nothing, on nonsense, twice on the same, and beside labels that lie.

Every look is made in a process of its own that can be ended. Nobody asks here how good a detector is.
"""

from __future__ import annotations

import json
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from detector.contract import Advance, Telemetry, Unsupported, open_telemetry
from detector.contract import detector as detector_named
from lab.catalogue import probe_cases as cases
from lab.console import BROKEN, FAILED, OK, emit, plural, printable
from lab.running.attempt import attempt, short
from lab.running.look import checked, judged
from lab.running.workers import leave_on_sigterm
from lab.scenario import compile_scenario, find_scenario, load_scenario

SCENARIO, SEED, STAGE = "smoke-poll", 1, "wire"
SECONDS = 120.0
MEMORY = 8 << 30  # bytes of address space of a process that looks: nonsense must not take the machine
Row = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """What became of one look: "scored" with findings as JSON lines in an order of their own, or why there are none."""

    status: str  # scored unsupported failed hung
    reason: str = ""
    lines: tuple[str, ...] = ()


@dataclass
class Looks:
    """Looks of one detector at telemetry, one after the other in a process that is ended when one takes too long."""

    name: str
    seconds: float
    process: BaseProcess | None = None
    line: Connection | None = field(default=None, repr=False)

    def at(self, telemetry: Telemetry) -> Answer:
        """The answer to one telemetry."""
        if self.process is None:
            self._begin()
        assert self.line is not None
        try:
            self.line.send(telemetry)
            if self.line.poll(self.seconds):
                return Answer(*self.line.recv())
        except (EOFError, ConnectionError):
            self.end()
            return Answer("hung", "its process died")
        self.end()
        return Answer("hung", f"no answer within {self.seconds:g} s")

    def _begin(self) -> None:
        spawn = multiprocessing.get_context("spawn")  # pyarrow's threads do not survive a fork
        self.line, theirs = spawn.Pipe()
        self.process = spawn.Process(target=serve, args=(self.name, theirs), daemon=False)
        self.process.start()
        theirs.close()

    def end(self) -> None:
        """Ends the process, if there is one; the next look begins another."""
        process, self.process = self.process, None
        if self.line is not None:
            self.line.close()
        if process is not None:
            process.terminate()
            process.join(10)
            if process.is_alive():
                process.kill()
                process.join()
            process.close()


def serve(name: str, line: Connection) -> None:
    """In the process: answers telemetry after telemetry, until nobody asks."""
    leave_on_sigterm()
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, hard))
    while True:
        try:
            telemetry = line.recv()
        except EOFError:
            return
        line.send(answer(name, telemetry))


def answer(name: str, telemetry: Telemetry) -> tuple[str, str, tuple[str, ...]]:
    """Status, reason and sorted lines of one look."""

    def look() -> tuple[str, ...]:
        one = detector_named(name)
        if lacking := [table for table in one.needs if table not in telemetry]:
            raise Unsupported(f"no table {', '.join(lacking)}, which {one.name} needs")
        return tuple(sorted(checked(one.detect(telemetry), judged(one, telemetry))))

    ended = attempt(look)
    return ended.status, ended.reason, ended.value or ()


@contextmanager
def _looking(name: str, seconds: float) -> Iterator[Looks]:
    looks = Looks(name, seconds)
    try:
        yield looks
    finally:
        looks.end()


def probe(name: str, advance: Advance, *, seconds: float = SECONDS) -> Row:
    """The detector's name and version, and a row for each probe: status (passed, failed, unsupported), what was found.

    LookupError for a detector that does not exist, Unsupported where it cannot run on this machine. A recording is
    made for the purpose, and removed.
    """
    one = detector_named(name)
    about: Row = {"detector": one.name, "version": one.version, "needs": list(one.needs)}
    with tempfile.TemporaryDirectory(prefix="") as folder, _looking(name, seconds) as looks:
        place = Path(folder)
        sound = _played(place)
        rows: list[Row] = []
        for done, (asks, ask) in enumerate(PROBES.items()):
            advance(done, len(PROBES))
            began = time.monotonic()
            (place / str(done)).mkdir()
            row = {"probe": ask.__name__.strip("_"), "asks": asks, **ask(looks, sound, place / str(done))}
            rows.append({**row, "seconds": round(time.monotonic() - began, 1)})
        advance(len(PROBES), len(PROBES))
    return {**about, "probes": rows, "passed": all(row["status"] == "passed" for row in rows)}


def _played(place: Path) -> Telemetry:
    """A recording made for the purpose, its capture where nothing tells and no truth lies beside it."""
    from lab.stages import play

    timeline = compile_scenario(load_scenario(find_scenario(SCENARIO)), SEED)
    with tempfile.TemporaryDirectory(dir=place) as folder:
        made = play(STAGE, timeline, Path(folder) / "recording")
        return cases.neutral(open_telemetry(made / "telemetry"), place / "given")


def _row(status: str, found: str, lines: Sequence[str] = ()) -> Row:
    return {"status": status, "found": found, "findings": len(lines)}


def _empty(looks: Looks, _sound: Telemetry, folder: Path) -> Row:
    seen = looks.at(cases.nothing(folder))
    if seen.status == "unsupported":
        return _row("passed", f"it says that it cannot judge this: {seen.reason}")
    if seen.status != "scored":
        return _row("failed", seen.reason)
    if seen.lines:
        return _row("failed", f"{plural(len(seen.lines), 'finding')}; the first: {_told(seen.lines[0])}", seen.lines)
    return _row("passed", "no finding")


def _malformed(looks: Looks, sound: Telemetry, folder: Path) -> Row:
    ends: dict[str, list[str]] = {}
    for name, telemetry in cases.nonsense(sound, folder):
        seen = looks.at(telemetry)
        ends.setdefault(seen.status, []).append(f"{name} ({seen.reason})" if seen.status == "hung" else name)
    if "hung" in ends:
        return _row("failed", "it did not end on " + "; ".join(ends["hung"]))
    words = {"scored": "judged", "unsupported": "declined", "failed": "refused with an error"}
    return _row("passed", "; ".join(f"{words[status]}: {', '.join(names)}" for status, names in ends.items()))


def _again(looks: Looks, sound: Telemetry, _folder: Path) -> Row:
    first = looks.at(sound)
    looks.end()  # another process has other hash seeds and nothing remembered
    second = looks.at(sound)
    if first.status != "scored":
        return _row("unsupported" if first.status == "unsupported" else "failed", first.reason)
    if first == second:
        return _row("passed", f"{plural(len(first.lines), 'finding')}, twice the same", first.lines)
    return _row("failed", f"they differ: {_difference(first, second)}", first.lines)


def _canary(looks: Looks, sound: Telemetry, folder: Path) -> Row:
    plain = looks.at(sound)
    if plain.status != "scored":
        return _row("unsupported" if plain.status == "unsupported" else "failed", plain.reason)
    for liar in range(len(cases.FOLDERS)):
        seen = looks.at(cases.labelled(sound, folder, liar))
        if seen != plain:
            return _row("failed", f"labels that lie changed its findings: {_difference(plain, seen)}", seen.lines)
    seen = looks.at(cases.labelled(sound, folder / "silent", 0, shown=cases.nothing(folder)))
    if seen.lines:
        return _row("failed", f"labels without any traffic became findings: {_told(seen.lines[0])}", seen.lines)
    vacuous = "" if plain.lines else "; it finds nothing here, so this proves little"
    return _row("passed", f"{plural(len(plain.lines), 'finding')}, with labels as without{vacuous}", plain.lines)


def _difference(one: Answer, other: Answer) -> str:
    """How two answers differ, in words."""
    if one.status != other.status:
        return (
            f"{one.status}, then {other.status} ({other.reason})" if other.reason else f"{one.status}, {other.status}"
        )
    lost, more = set(one.lines) - set(other.lines), set(other.lines) - set(one.lines)
    example = next(iter(sorted(more or lost)), "")
    return f"{len(lost)} lost, {len(more)} more, such as {_told(example)}" if example else "the same several times"


def _told(line: str) -> str:
    """A finding in short."""
    found = json.loads(line)
    who = " ".join(str(found[name]) for name in ("analytic", "device", "package", "peer") if found[name] is not None)
    return short(f"{who}, score {found['score']:.2f}")


def exit_code(found: Row) -> int:
    """1 if a probe failed, 3 if one could not be judged, 0 if all passed."""
    statuses = {row["status"] for row in found["probes"]}
    return BROKEN if "failed" in statuses else FAILED if "unsupported" in statuses else OK


def print_probes(found: Row) -> None:
    """What became of each probe, on stdout, two lines each, and the sum."""
    marks = {"passed": "ok", "failed": "FAIL", "unsupported": "?"}
    emit(f"{found['detector']}, version {found['version']}, needs {', '.join(found['needs']) or 'no table'}")
    for row in found["probes"]:
        emit(f"{marks[row['status']]:5} {row['asks']}")
        emit(printable(f"      {row['found']} ({row['seconds']:g} s)"))
    failed, open_ = (sum(row["status"] == status for row in found["probes"]) for status in ("failed", "unsupported"))
    unproved = f", {open_} not judged: nothing is proved by them" if open_ else ""
    emit(f"{plural(len(found['probes']), 'probe')}, {failed} failed{unproved}")


#: What is asked, in the order of the answers, and who asks it.
PROBES = {
    "Does it find nothing where nothing happened?": _empty,
    "Does it end on nonsense?": _malformed,
    "Do two runs agree?": _again,
    "Do labels that lie about change nothing?": _canary,
}
