"""The words between a sensor, a detector and whoever scores it: Telemetry, Detector, Finding, View.

Nothing may be added here that says what is true: a detector sees tables and a capture, never a label,
a scenario, a seed or a telling file name. Times are int64 microseconds since the epoch, UTC. Bytes are
L4 payload unless the column says ``wire_``. ``up`` runs from client to server, ``down`` back.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from detector.finding_form import TIMES, check_order, formed
from detector.knob import Configuration as Configuration  # noqa: PLC0414 - part of the contract, kept in a file of its own
from detector.knob import Knob as Knob  # noqa: PLC0414 - as above
from detector.knob import Origin as Origin  # noqa: PLC0414 - as above
from detector.knob import Tunable as Tunable  # noqa: PLC0414 - as above

if TYPE_CHECKING:
    import pyarrow as pa

    from detector.baseline import Baseline as Baseline  # noqa: PLC0414 - a word of the contract, kept in a file of its own
    from detector.exceptions import Exceptions
    from detector.tables import SCHEMAS as SCHEMAS  # noqa: PLC0414 - part of the contract, kept in a file of its own
else:

    def __getattr__(name: str) -> Any:
        """SCHEMAS, when it is asked for: pyarrow costs whoever reads no table 0.1 s."""
        if name == "SCHEMAS":
            from detector.tables import SCHEMAS

            return SCHEMAS
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


SCHEMA_VERSION = 1
ANALYTICS = ("AN1793", "AN1702")
ATTACK_VERSION = "19.1"

EXCHANGE_IDLE_US = 2_000_000


class EvidenceError(ValueError):
    """A recording or capture that is incomplete or damaged: nothing may be concluded from it (exit 3)."""


class Unsupported(LookupError):  # noqa: N818 - an outcome of a trial, not a fault
    """A detector that cannot run on this telemetry at all: not a miss, and not a pass."""


class Failed(RuntimeError):  # noqa: N818 - an outcome of a trial, not a fault of ours
    """A foreign detector that crashed, hung, or gave junk: its trial has failed (exit 3)."""


@dataclass(frozen=True)
class Telemetry:
    """What a detector may see: named tables, the capture where there is one, and what is missing.

    ``tables`` maps a name of SCHEMAS to a table of exactly that schema. ``span`` is first and last time
    covered, in microseconds. ``partial`` says why the evidence is incomplete, or is None.
    """

    tables: Mapping[str, pa.Table]
    span: tuple[int, int]
    view: str = "full"
    capture: Path | None = None
    packets: int | None = None
    partial: str | None = None
    outside: Mapping[str, int] = field(default_factory=dict)  # read, but in no table: fragments, short_frames, ...
    baseline: Baseline | None = None  # what was learned of the enterprise through the same view, where it was

    def __getitem__(self, name: str) -> pa.Table:
        """The table of that name; Unsupported if this telemetry has none."""
        try:
            return self.tables[name]
        except KeyError:
            raise Unsupported(f"this telemetry (view {self.view}) has no table '{name}'") from None

    def __contains__(self, name: object) -> bool:
        return name in self.tables


@dataclass(frozen=True)
class Reason:
    """One factor of a finding: its value, what is expected of the innocent, and its weight in the score."""

    feature: str
    value: float | str | None  # None: unknown, this sensor cannot tell
    expected: str
    weight: float
    text: str  # a sentence a person can check in Wireshark


@dataclass(frozen=True)
class Finding:
    """What a detector says of one device and app: analytic, when, how sure, and why."""

    analytic: str
    device: str
    uid: int | None
    package: str | None
    peer: str | None  # name or address; None for AN1702
    first_seen: int
    last_seen: int
    decided_at: int  # earliest moment at which the evidence up to then crossed the threshold
    score: float
    alert: bool
    severity: str  # informational low medium high
    detector: str
    detector_version: str
    reasons: tuple[Reason, ...] = ()
    partial: bool = False  # drawn from evidence that is known to be incomplete

    def to_json(self) -> dict[str, Any]:
        """The finding as an object of findings.jsonl, schema version 1."""
        times = {name: rfc3339(getattr(self, name)) for name in ("first_seen", "last_seen", "decided_at")}
        plain = {
            name: getattr(self, name)
            for name in ("analytic", "device", "uid", "package", "peer", "score", "alert", "severity")
        }
        who = {"detector": self.detector, "detector_version": self.detector_version}
        reasons = [vars(reason) for reason in self.reasons]
        return {**plain, **times, **who, "partial": self.partial, "reasons": reasons}

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Finding:
        """The finding written in one object of findings.jsonl; ValueError names key, found and expected."""
        whole = formed(row, ANALYTICS)
        times = {name: _moment(name, whole[name]) for name in TIMES}
        check_order(times, whole)
        reasons = tuple(Reason(**reason) for reason in whole["reasons"])
        return cls(**{**whole, **times, "score": float(whole["score"]), "reasons": reasons})


class Detector(Protocol):
    """Whoever turns telemetry into findings. ``needs`` names the tables without which it is Unsupported.

    Optional: ``judges(telemetry) -> tuple[str, ...]`` says which of ANALYTICS it can judge on this telemetry; without
    that method it answers for all. Of an analytic it leaves out it must report nothing, and has neither missed nor
    passed; one that can judge none is Unsupported. ``explain(telemetry, about) -> Explanation | None`` says what became
    of whom one asks about (detector/explanation.py). ``knobs`` and ``tuned`` let droidrange tune set its thresholds
    (detector/knob.py).
    """

    name: str
    version: str
    needs: tuple[str, ...]

    def detect(self, telemetry: Telemetry) -> Iterable[Finding]:
        """The findings, alerts and near misses alike; Unsupported if the telemetry lacks a needed table."""
        ...


View = Callable[[Telemetry], Telemetry]
Advance = Callable[[int, int], None]  # told now and then: so much done, of so much in all


@dataclass(frozen=True)
class Progress:
    """How far a long reading has come: a callback of (done, total) bytes, called now and then."""

    advance: Advance = field(default=lambda _done, _total: None)


def open_telemetry(path: Path, *, allow_partial: bool = False, progress: Progress | None = None) -> Telemetry:
    """The telemetry in a recording's ``telemetry/`` folder or in one capture file (pcap, pcapng).

    Raises EvidenceError with packet and byte where a capture is cut or damaged, unless ``allow_partial``.
    """
    from detector.intake import load

    telemetry: Telemetry = load(path, allow_partial=allow_partial, progress=progress or Progress())
    return telemetry


def learned(telemetry: Telemetry) -> Baseline:
    """What the telemetry shows to be normal, to be put beside other telemetry of the same view as its ``baseline``."""
    from detector.baseline import learn

    found: Baseline = learn(telemetry)
    return found


def view(name: str) -> View:
    """The view of that name (DESIGN section 5); LookupError names the known ones and the nearest."""
    from detector.views import VIEWS

    narrow: View = _named(VIEWS, name, "view")
    return narrow


def exceptions(path: Path) -> Exceptions:
    """The documented exceptions in a TOML file (detector/exceptions.py); LookupError lists what is wrong in it."""
    from detector.exceptions import read_exceptions

    return read_exceptions(path)


def detector(name: str) -> Detector:
    """The detector ``NAME`` or ``NAME:ARG``: file detector/adapters/NAME.py; LookupError names the known ones."""
    from importlib import import_module

    stem, _, argument = name.partition(":")
    found = _named({known.stem.replace("_", "-"): known.stem for known in _adapters()}, stem, "detector")
    made: Detector = import_module(f"detector.adapters.{found}").create(argument)
    return made


def detector_names() -> list[str]:
    """The names of all bundled detectors: the files of detector/adapters/."""
    return sorted(path.stem.replace("_", "-") for path in _adapters())


def detector_argument(name: str) -> str:
    """What the bundled detector of that name must be given after a colon, such as FILE; empty if it needs nothing."""
    from importlib import import_module

    return str(getattr(import_module(f"detector.adapters.{name.replace('-', '_')}"), "ARGUMENT", ""))


def write_findings(findings: Iterable[Finding]) -> Iterator[str]:
    """The findings as JSON lines, without line ends; ValueError for a number that JSON has not."""
    return (json.dumps(finding.to_json(), ensure_ascii=False, allow_nan=False) for finding in findings)


def rfc3339(time_us: int) -> str:
    """A time in RFC 3339, UTC, microseconds.

    >>> rfc3339(1_772_409_600_000_001)
    '2026-03-02T00:00:00.000001Z'
    """
    seconds, rest = divmod(int(time_us), 1_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None).isoformat()}.{rest:06d}Z"  # %Y has no zeros


def microseconds(text: str) -> int:
    """The microseconds since the epoch of an RFC 3339 time; ValueError if it has no offset.

    >>> microseconds('2026-03-02T00:00:00.000001Z')
    1772409600000001
    """
    when = datetime.fromisoformat(text)
    if when.tzinfo is None:
        raise ValueError(f"time {text!r} has no offset; expected RFC 3339 such as 2026-03-02T00:00:00Z")
    since = when - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _moment(name: str, text: str) -> int:
    try:
        return microseconds(text)
    except ValueError as fault:
        raise ValueError(f"{name}: found {text!r}, expected RFC 3339 with an offset ({fault})") from None


def _adapters() -> list[Path]:
    folder = Path(__file__).parent / "adapters"
    return [path for path in folder.glob("*.py") if path.stem != "__init__"]


def _named(known: Mapping[str, Any], name: str, noun: str) -> Any:
    if name in known:
        return known[name]
    from difflib import get_close_matches

    near = get_close_matches(name, known, n=1)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    raise LookupError(f"unknown {noun} '{name}': known are {', '.join(sorted(known))}{hint}")
