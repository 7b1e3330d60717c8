"""A user's class as a Detector: asked in a cell, what it is once and what it finds each time."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from detector.contract import ANALYTICS, Configuration, Finding, Knob, Origin, Telemetry, Unsupported
from detector.fenced import Ended, Failed, Limits, hand_over, run, taken
from detector.foreign.module_place import Place
from detector.foreign.worker import UNSUPPORTED, WRONG
from detector.signature import Signature

LIMITS = Limits()
#: Importing a module may take long (a model is read), but not as long as a look.
ASKING = Limits(seconds=120.0, cpu_seconds=120)
GIVEN = "telemetry"


@dataclass
class UserClass:
    """One class of one module, with what it said of itself."""

    name: str
    version: str
    needs: tuple[str, ...]
    place: Place
    cls: str
    settings: Mapping[str, float]
    chooses: bool  # it has a method judges
    knobs: tuple[Knob, ...] = ()  # each named as the number it is made with
    limits: Limits = LIMITS

    def tuned(self, values: Mapping[str, float], origin: Origin) -> Configuration:  # noqa: ARG002 - an argument has no room for a note
        """The same class made with other numbers; LookupError for one that is none of its knobs."""
        if unknown := set(values) - {knob.name for knob in self.knobs}:
            raise LookupError(f"detector {self.name}: unknown knob {', '.join(sorted(unknown))}")
        path = self.name.removeprefix("python:").partition("?")[0]
        numbers = "&".join(f"{name}={value!r}" for name, value in {**self.settings, **values}.items())
        return Configuration("python", f"{path}?{numbers}")

    def judges(self, telemetry: Telemetry) -> tuple[str, ...]:
        """What the class says it judges; both analytics if it says nothing. Failed and Unsupported as ``detect``."""
        if not self.chooses:
            return ANALYTICS
        told = json.loads(next(iter(self._asked("judges", telemetry)), b"null"))
        if not isinstance(told, list):
            raise Failed(f"{self.name}: judges: found {told!r}, expected some of {', '.join(ANALYTICS)}")
        return tuple(told)

    def detect(self, telemetry: Telemetry) -> Iterator[Finding]:
        """Its findings, with the name and version by which it was asked for.

        Unsupported where it raises that; Failed where it raises anything else, reaches a limit, gives junk, or ends
        before it has said all.
        """
        who = Signature(self.name, self.version, partial=telemetry.partial is not None)
        for finding in taken(self._asked("detect", telemetry)):
            yield who.under(finding)

    def _asked(self, action: str, telemetry: Telemetry) -> list[bytes]:
        order = {"action": action, "module": self.place.module, "class": self.cls, "settings": dict(self.settings)}
        with tempfile.TemporaryDirectory(prefix="") as name:
            folder = Path(name)
            hand_over(telemetry, folder / GIVEN)
            ended = asked({**order, "telemetry": GIVEN}, self.place, folder, self.limits)
        if ended.code == UNSUPPORTED:
            raise Unsupported(f"{self.name}: {ended.told}")
        if ended.code != 0:
            raise Failed(f"{self.name} ended with code {ended.code}: {ended.told}")
        return whole(ended, self.name)


def asked(order: Mapping[str, Any], place: Place, folder: Path, limits: Limits) -> Ended:
    """How the worker ended with that order, the telemetry being in the folder's GIVEN; Failed at a limit."""
    command = [sys.executable, "-m", "detector.foreign.worker", json.dumps(order)]
    source = Path(__file__).parents[2]  # from which detector is imported
    path = {"PYTHONPATH": f"{source}:{place.folder}"}
    return run(command, folder=folder, reads=[folder / GIVEN, *place.reads], limits=limits, environment=path)


def whole(ended: Ended, name: str) -> list[bytes]:
    """The lines of an answer that is complete; Failed if its last line does not say so."""
    lines = ended.stdout.splitlines()
    try:
        said = json.loads(lines.pop())["said"]
    except (ValueError, LookupError, TypeError):
        said = None
    if said != len(lines):
        raise Failed(f"{name} ended with code 0 before it had said all: {ended.told}")
    return lines


@lru_cache(maxsize=64)
def described(place: Place, cls: str, settings: tuple[tuple[str, float], ...], digest: str) -> dict[str, Any]:  # noqa: ARG001 - other sources, another answer
    """What the class says of itself: name, version, needs, whether it judges. LookupError if it is no detector.

    Failed where it raises something else or reaches a limit while it is imported or made.
    """
    order = {"action": "about", "module": place.module, "class": cls, "settings": dict(settings)}
    with tempfile.TemporaryDirectory(prefix="") as name:
        ended = asked(order, place, Path(name), ASKING)
    if ended.code == WRONG:
        raise LookupError(ended.told)
    if ended.code != 0:
        raise Failed(f"{place.module}:{cls} ended with code {ended.code} while it was made: {ended.told}")
    told: dict[str, Any] = json.loads(whole(ended, f"{place.module}:{cls}")[0])
    return told
