"""The bundled detector: both analytics over the tables, with reasons; ``builtin:FILE`` reads other thresholds."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from detector.analytics.command_polling import command_polling
from detector.analytics.polling_explained import polling_groups
from detector.analytics.relay_explained import relay_groups
from detector.analytics.traffic_relay import traffic_relay
from detector.contract import Configuration, Detector, Finding, Knob, Origin, Telemetry, Unsupported
from detector.explanation import About, Explanation, witnessed
from detector.packed import packed
from detector.scored_groups import ScoredGroups
from detector.settling import Value, settled
from detector.signature import Signature
from detector.thresholds import BUNDLED, Thresholds, load_thresholds

REST = "; all else: "  # in a note, before where the numbers come from that were not tuned
LEAST = 1e-6  # a threshold of 0 would alert on what was never seen
MANY = 200_000  # flows that are worth a second thread
#: The groups of each analytic, ready to be asked about.
EXPLAINED: Mapping[str, Callable[[Telemetry, Thresholds], ScoredGroups]] = {
    "AN1793": lambda telemetry, limits: polling_groups(telemetry, limits.polling),
    "AN1702": lambda telemetry, limits: relay_groups(telemetry, limits.relay),
}


@dataclass
class Builtin:
    """Both analytics under one set of thresholds. It runs on flows or dns, and uses whatever else there is.

    AN1702 is about bytes that come in and go out again: look-ups alone say nothing of it, so it is left out there.
    """

    thresholds: Thresholds
    source: Path = BUNDLED  # the file of the thresholds
    name: str = "builtin"
    version: str = field(default_factory=lambda: version("droidrange"))
    needs: tuple[str, ...] = ()
    _asked: tuple[Telemetry, dict[str, ScoredGroups]] | None = field(default=None, repr=False, compare=False)

    @property
    def knobs(self) -> tuple[Knob, ...]:
        """The threshold of each analytic."""
        bars = {"AN1793": self.thresholds.polling.threshold, "AN1702": self.thresholds.relay.threshold}
        return tuple(Knob(f"{name}.threshold", name, value, LEAST, 1.0) for name, value in bars.items())

    def deciding(self, finding: Finding) -> float | None:
        """The score; None of what is allowed, which no threshold makes an alert."""
        limits = self.thresholds.polling if finding.analytic == "AN1793" else self.thresholds.relay
        wholly = [one for one in finding.reasons if one.feature == "allowed" and one.weight >= limits.allowed_relief]
        return None if wholly and not finding.alert else finding.score

    def tuned(self, values: Mapping[str, float], origin: Origin) -> Configuration:
        """The file of thresholds with these set and where they come from; its comments and all else stay."""
        if unknown := set(values) - {one.name for one in self.knobs}:
            raise LookupError(f"detector builtin: unknown knob {', '.join(sorted(unknown))}")
        before = self.thresholds.polling.provenance.split.rpartition(REST)[2]
        split = f"{', '.join(sorted(values))}: {origin.split}{REST}{before}"
        changes: dict[str, dict[str, Value]] = {"AN1793.provenance": {**_told(origin), "split": split}}
        for name, value in values.items():
            section, _, key = name.partition(".")
            changes[section] = {key: value}
        load_thresholds.cache_clear()  # the file may be written over: whoever asks from now on reads it anew
        text = self.source.read_text(encoding="utf-8")
        return Configuration("builtin", content=settled(text, changes), suffix=".toml")

    def judges(self, telemetry: Telemetry) -> tuple[str, ...]:
        """AN1793 where there are flows or dns, AN1702 where there are flows."""
        able = {"AN1793": "flows" in telemetry or "dns" in telemetry, "AN1702": "flows" in telemetry}
        return tuple(analytic for analytic, enough in able.items() if enough)

    def detect(self, telemetry: Telemetry) -> Iterator[Finding]:
        """The findings of AN1793, then of AN1702; Unsupported without flows and dns."""
        able = self.judges(telemetry)
        if not able:
            raise Unsupported(f"builtin needs flows or dns; this telemetry (view {telemetry.view}) has neither")
        who, telemetry = Signature(self.name, self.version, partial=telemetry.partial is not None), packed(telemetry)
        if "AN1702" in able and len(telemetry["flows"]) >= MANY:
            yield from self._side_by_side(telemetry, who)
            return
        yield from command_polling(telemetry, self.thresholds.polling, who)
        if "AN1702" in able:
            yield from traffic_relay(telemetry, self.thresholds.relay, who)

    def _side_by_side(self, telemetry: Telemetry, who: Signature) -> Iterator[Finding]:
        """The same in the same order, AN1702 judged meanwhile in a thread of its own: numpy lets both compute."""
        with ThreadPoolExecutor(1) as beside:
            relays = beside.submit(lambda: list(traffic_relay(telemetry, self.thresholds.relay, who)))
            yield from command_polling(telemetry, self.thresholds.polling, who)
            yield from relays.result()

    def explain(self, telemetry: Telemetry, about: About) -> Explanation | None:
        """What became of whom that asks about; None where its analytic is not judged on this telemetry."""
        if about.analytic not in self.judges(telemetry):
            return None
        if self._asked is None or self._asked[0] is not telemetry:
            self._asked = (telemetry, {})  # one telemetry is measured once, however much is asked of it
        groups = self._asked[1]
        if about.analytic not in groups:
            groups[about.analytic] = EXPLAINED[about.analytic](telemetry, self.thresholds)
        return groups[about.analytic].explain(about, witnessed(telemetry, about))


def _told(origin: Origin) -> dict[str, Value]:
    """An origin as the lines of ``AN1793.provenance``."""
    numbers = {"budget": origin.budget, "device_days": origin.device_days}
    return {"date": origin.date, "commit": origin.commit, "seeds": [*origin.seeds], **numbers}


def _version(source: Path) -> str:
    """The package's version and eight digits of the SHA-256 of the thresholds: other weights are another detector."""
    return f"{version('droidrange')}+{hashlib.sha256(source.read_bytes()).hexdigest()[:8]}"


def create(argument: str) -> Detector:
    """The bundled detector; ``argument`` may name a thresholds file. ValueError lists what is wrong in it."""
    source = Path(argument) if argument else BUNDLED
    return Builtin(load_thresholds(source), source, version=_version(source))
