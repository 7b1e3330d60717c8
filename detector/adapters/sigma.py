"""Sigma rules over the telemetry tables: ``sigma:PATH``, a file or folder, run as SQL in a locked process.

Needs the extra ``sigma``. Log sources and fields: detector/sigma/sources.py. A rule that fires at single events has a
finding per device, app and destination, a correlation one per group and device; ``sigma:PATH?NAME=N`` sets how much the
correlation of that name must count, which is also its knob where it is the only rule of its analytic. What raises a
rule wrongly is in its ``falsepositives``: the version of the detector is a hash of the files.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from detector.contract import ANALYTICS, Configuration, Detector, Finding, Knob, Origin, Telemetry, Unsupported
from detector.fenced import Limits
from detector.rule_analytic import split_argument
from detector.rule_settings import settings_of
from detector.sigma.asked import Compiled, compiled, texts_of
from detector.signature import Signature
from detector.sql.asked import LIMITS, asked

ARGUMENT = "PATH"
LEAST, MOST = 1.0, 1e6  # of what a correlation counts


@dataclass
class Sigma:
    """The rules of a path as one detector."""

    name: str
    version: str  # a hash of the files and of what the argument sets
    needs: tuple[str, ...]  # the tables that every rule reads
    argument: str
    rules: tuple[Compiled, ...]
    limits: Limits = field(default=LIMITS)

    def judges(self, telemetry: Telemetry) -> tuple[str, ...]:
        """The analytics of which some rule has all the tables it reads."""
        able = {rule.query.analytic for rule in self._able(telemetry)}
        return tuple(one for one in ANALYTICS if one in able)

    def detect(self, telemetry: Telemetry) -> Iterator[Finding]:
        """What the rules say that have their tables here; Unsupported where none has, Failed as asked."""
        able = self._able(telemetry)
        if not able:
            tables = ", ".join(sorted({name for rule in self.rules for name in rule.query.needs}))
            raise Unsupported(
                f"{self.name} reads {tables}; this telemetry (view {telemetry.view}) has not what a rule needs"
            )
        by = Signature(self.name, self.version, partial=telemetry.partial is not None)
        yield from asked([rule.query for rule in able], telemetry, by, self.limits)

    @property
    def knobs(self) -> tuple[Knob, ...]:
        """What a correlation must count, for an analytic of which it is the only rule."""
        alone = [rules[0] for one in ANALYTICS if len(rules := self._of(one)) == 1]
        return tuple(
            Knob(rule.knob, rule.query.analytic, rule.bar, LEAST, MOST) for rule in alone if rule.knob is not None
        )

    def deciding(self, finding: Finding) -> float | None:
        """What the rule counted."""
        measures = {rule.query.measure for rule in self._of(finding.analytic)}
        for reason in finding.reasons:
            if reason.feature in measures and isinstance(reason.value, int | float):
                return float(reason.value)
        return None

    def tuned(self, values: Mapping[str, float], origin: Origin) -> Configuration:  # noqa: ARG002 - an argument has no room for a note
        """The same path with the counts set anew."""
        known = {knob.name for knob in self.knobs}
        if unknown := sorted(set(values) - known):
            raise LookupError(
                f"unknown knob {unknown[0]}, expected {', '.join(sorted(known)) or 'none: there is none'}"
            )
        where, given = split_argument(self.argument)
        path, settings = settings_of(where)
        words = "&".join(f"{name}={value!r}" for name, value in {**settings, **values}.items())
        return Configuration("sigma", f"{path}?{words}{f'?analytic={given}' if given else ''}")

    def _of(self, analytic: str) -> list[Compiled]:
        return [rule for rule in self.rules if rule.query.analytic == analytic]

    def _able(self, telemetry: Telemetry) -> list[Compiled]:
        return [rule for rule in self.rules if all(name in telemetry for name in rule.query.needs)]


def create(argument: str) -> Detector:
    """The rules of a file or folder; LookupError with all that is wrong in them; Unsupported without pySigma."""
    where, given = split_argument(argument)
    place, settings = settings_of(where)
    if not place:
        raise LookupError("detector sigma: found no path, expected sigma:PATH, for example sigma:examples/sigma")
    if find_spec("sigma") is None or find_spec("sigma.collection") is None:
        raise Unsupported("detector sigma needs pySigma, which is not installed: pip install 'droidrange[sigma]'")
    files = texts_of(Path(place))
    rules = compiled(files, given, place)
    names = [rule.knob for rule in rules if rule.knob]
    if unknown := sorted(set(settings) - set(names)):
        known = ", ".join(names) or "nothing: there is no counting correlation"
        raise LookupError(f"detector sigma: {place}: found {unknown[0]!r} after '?', expected {known}")
    if wrong := [name for name, value in settings.items() if not LEAST <= value <= MOST]:
        raise LookupError(f"detector sigma: found {wrong[0]}={settings[wrong[0]]}, expected {LEAST:g} to {MOST:g}")
    rules = tuple(rule.with_bar(settings[rule.knob]) if rule.knob in settings else rule for rule in rules)
    needs = set.intersection(*(set(rule.query.needs) for rule in rules))
    return Sigma(f"sigma:{argument}", _version(files, given, settings), tuple(sorted(needs)), argument, rules)


def _version(files: Sequence[tuple[str, str]], given: str | None, settings: Mapping[str, float]) -> str:
    whole = json.dumps([[text for _, text in files], given, sorted(settings.items())])
    return hashlib.sha256(whole.encode()).hexdigest()[:12]
