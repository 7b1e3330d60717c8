"""Which finding speaks of which incident. Pure: truth and findings in, verdicts out; scores change nothing here.

A finding matches an incident when analytic, device, package, peer and time agree; unknown to the sensor is not wrong.
It counts for one incident only, so no finding is ever two hits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol

from detector.contract import Finding
from lab.truth import Truth, TruthIncident

#: A peer that stands for all seldom-seen hosts together: detectors may group what they cannot tell apart.
RARE = "*rare*"


class _Suffixes(Protocol):
    def privatesuffix(self, name: str) -> str | None: ...


@dataclass(frozen=True)
class Verdict:
    """What truth says of one finding.

    ``kind`` of an alert: ``hit`` (the first alert on its incident), ``duplicate`` (a later one), or a false alarm:
    ``cross`` (right app, other analytic), ``extra`` (right app and analytic, other peer or time), ``benign``.
    A finding below its threshold is ``quiet``. ``incident`` is None where nothing matches.
    """

    finding: Finding
    kind: str
    incident: TruthIncident | None

    @property
    def false_alarm(self) -> bool:
        """Whether this alert cost somebody's time for nothing."""
        return self.finding.alert and self.incident is None


def judge(truth: Truth, findings: Iterable[Finding]) -> list[Verdict]:
    """One verdict per finding, by time of decision; a free choice falls on the least found incident, then the first."""
    found: dict[tuple[str, bool], int] = {}
    verdicts = []
    for finding in sorted(findings, key=_order):
        candidates = [incident for incident in truth.incidents if matches(finding, incident, truth)]
        if not candidates:
            verdicts.append(Verdict(finding, _unmatched(finding, truth), None))
            continue
        incident = min(
            candidates, key=lambda one: (found.get((one.incident, finding.alert), 0), one.start, one.incident)
        )
        key = (incident.incident, finding.alert)
        kind = "quiet" if not finding.alert else "duplicate" if key in found else "hit"
        found[key] = found.get(key, 0) + 1
        verdicts.append(Verdict(finding, kind, incident))
    return verdicts


def matches(finding: Finding, incident: TruthIncident, truth: Truth) -> bool:
    """Whether the finding speaks of this incident."""
    return (
        finding.analytic == incident.analytic
        and same_app(finding, incident, truth)
        and finding.first_seen <= incident.end
        and finding.last_seen >= incident.start
        and (finding.analytic != "AN1793" or same_peer(finding.peer, incident.peers))
    )


def same_app(finding: Finding, incident: TruthIncident, truth: Truth) -> bool:
    """Whether device (by name or by address) and package (or an unknown one) agree."""
    here = finding.device in {incident.device, truth.devices.get(incident.device)}
    return here and finding.package in {None, incident.package}


def same_peer(peer: str | None, peers: Sequence[str]) -> bool:
    """Whether a finding's peer is one of an incident's: same name or address, or one's domain holds the other.

    A registrable domain speaks for its hosts, a longer name for the host it lies under; a public suffix for nobody,
    and two hosts of one domain not for each other.
    """
    if peer is None:
        return False
    return peer == RARE or any(_same_host(_plain(peer), _plain(known)) for known in peers)


def device_name(device: str, truth: Truth) -> str:
    """The inventory name behind a finding's device, which may be an address; the device itself if unknown."""
    return next((name for name, address in sorted(truth.devices.items()) if address == device), device)


def _same_host(one: str, other: str) -> bool:
    if one == other:
        return True
    short, long = sorted((one, other), key=len)
    return long.endswith("." + short) and _registrable(short)


@cache
def _registrable(name: str) -> bool:
    """Whether the name is a registrable domain or lies under one; an address and a public suffix are not."""
    if name.replace(".", "").isdigit() or ":" in name:
        return False
    return _suffixes().privatesuffix(name) is not None


@cache
def _suffixes() -> _Suffixes:
    from publicsuffixlist import PublicSuffixList

    made: _Suffixes = PublicSuffixList()
    return made


def _plain(name: str) -> str:
    return name.rstrip(".").lower()


def _unmatched(finding: Finding, truth: Truth) -> str:
    if not finding.alert:
        return "quiet"
    owners = list(_app_incidents(finding, truth))
    if any(incident.analytic == finding.analytic for incident in owners):
        return "extra"
    return "cross" if owners else "benign"


def _app_incidents(finding: Finding, truth: Truth) -> Iterator[TruthIncident]:
    if finding.package is not None:
        yield from (incident for incident in truth.incidents if same_app(finding, incident, truth))


def _order(finding: Finding) -> tuple[object, ...]:
    who = (finding.analytic, finding.device, finding.package or "", finding.peer or "")
    return (finding.decided_at, -finding.score, *who, finding.first_seen, finding.last_seen)
