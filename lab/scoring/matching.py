"""Which finding speaks of which incident. Pure: truth and findings in, verdicts out; scores change nothing here.

A finding matches an incident when analytic, device, app, peer and time agree. What the sensor cannot know is not wrong;
what the detector leaves out although the sensor shows it is. It counts for one incident only: no finding is two hits.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol

from detector.contract import Finding
from lab.truth import BACKGROUND, Truth, TruthIncident

#: Views that show no uid and no package (DESIGN section 5; a test holds this against what the views really do).
#: Under any other view a finding that names no app would speak for every app of its device.
APPLESS = frozenset({"no-app", "netflow", "dns-only", "sampled-1in100"})


#: Microseconds for which a name may be asked for before the conversation that needs it: a finding drawn from that
#: look-up alone is about the incident. Android's resolver has given up by then (from memory).
ASKED_AHEAD = 30_000_000


#: A host before its port, as in an HTTP Host header (RFC 9110 section 7.2); brackets are IPv6's (RFC 3986, 3.2.2).
_PORTED = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^:]*)):[0-9]+")


class _Suffixes(Protocol):
    def privatesuffix(self, name: str) -> str | None: ...


@dataclass(frozen=True)
class Verdict:
    """What truth says of one finding.

    ``kind`` of an alert: ``hit`` (the first alert on its incident), ``duplicate`` (a later one), or a false alarm:
    ``cross`` (right app, other analytic), ``extra`` (right app and analytic, other peer or time), ``benign``.
    A finding below its threshold is ``quiet``. ``incident`` is None where nothing matches. In a merged recording a
    finding about traffic that was there before is ``background``, whatever its score: neither right nor wrong.
    """

    finding: Finding
    kind: str
    incident: TruthIncident | None

    @property
    def false_alarm(self) -> bool:
        """Whether this alert cost somebody's time for nothing."""
        return self.finding.alert and self.incident is None and self.kind != BACKGROUND


def judge(truth: Truth, findings: Iterable[Finding], view: str) -> list[Verdict]:
    """One verdict per finding, by time of decision; a free choice falls on the least found incident, then the first."""
    found: dict[tuple[str, bool], int] = {}
    verdicts = []
    for finding in sorted(findings, key=_order):
        candidates = [incident for incident in truth.incidents if matches(finding, incident, truth, view)]
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


def matches(finding: Finding, incident: TruthIncident, truth: Truth, view: str) -> bool:
    """Whether the finding, drawn from what that view shows, speaks of this incident.

    A finding without an app matches where the view shows none, and elsewhere by its peer alone only if that is exactly
    one of the incident's (a look-up has no app: on Android the resolver asks for all).
    """
    if not (
        finding.analytic == incident.analytic
        and same_device(finding, incident, truth)
        and finding.first_seen <= incident.end
        and finding.last_seen >= incident.start - ASKED_AHEAD
    ):
        return False
    peered = finding.analytic == "AN1793"
    if names_app(finding):
        known = same_app(finding, incident)
    else:
        known = view in APPLESS or (peered and exact_peer(finding.peer, incident.peers))
    return known and (not peered or same_peer(finding.peer, incident.peers))


def same_device(finding: Finding, incident: TruthIncident, truth: Truth) -> bool:
    """Whether the finding's device is the incident's, by name or by address."""
    return truth.device_name(finding.device) == incident.device or finding.device == incident.device


def names_app(finding: Finding) -> bool:
    """Whether the finding says which app it is about: by package, or by uid where the package is unknown."""
    return finding.package is not None or finding.uid is not None


def same_app(finding: Finding, incident: TruthIncident) -> bool:
    """Whether the app that the finding names is the incident's; a package outranks a uid."""
    if finding.package is not None:
        return finding.package == incident.package
    return finding.uid == incident.uid


def exact_peer(peer: str | None, peers: Sequence[str]) -> bool:
    """Whether a finding's peer is literally one of an incident's, letter case and the root dot aside."""
    return peer is not None and _plain(peer) in {_plain(known) for known in peers}


def same_peer(peer: str | None, peers: Sequence[str]) -> bool:
    """Whether a finding's peer is one of an incident's: same name or address, or one's domain holds the other.

    A registrable domain speaks for its hosts, a longer name for the host it lies under; a public suffix for nobody,
    and two hosts of one domain not for each other.
    """
    if peer is None:
        return False
    return any(_same_host(_plain(peer), _plain(known)) for known in peers)


def device_name(device: str, truth: Truth) -> str:
    """The inventory name behind a finding's device, which may be an address; the device itself if unknown."""
    return truth.device_name(device) or device


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
    """The host of a peer as detectors write it: without port, brackets and root dot, in small letters.

    >>> _plain("198.18.0.1:8080"), _plain("[2001:DB8::1]:443"), _plain("2001:db8::1"), _plain("A.example.")
    ('198.18.0.1', '2001:db8::1', '2001:db8::1', 'a.example')
    """
    found = _PORTED.fullmatch(name)
    host = (found[1] or found[2]) if found else name
    return host.rstrip(".").lower()


def of_background(finding: Finding, truth: Truth) -> bool:
    """Whether a finding about no incident may speak of traffic of which truth knows nothing.

    So it does if its device is none of those that were played. Of a device whose address the background has as well,
    unless it names one of its apps or one of the peers of its own conversations.
    """
    if truth.background is None:
        return False
    device = truth.device_name(finding.device)
    shared = truth.background.shared
    if device is None or device not in shared:
        return device is None
    if names_app(finding):
        known = {(package, uid) for (owner, package), (uid, _) in truth.packages.items() if owner == device}
        return not any(finding.package == package or finding.uid == uid for package, uid in known)
    return not same_peer(finding.peer, tuple(shared[device]))


def _unmatched(finding: Finding, truth: Truth) -> str:
    if of_background(finding, truth):
        return BACKGROUND
    if not finding.alert:
        return "quiet"
    owners = list(_app_incidents(finding, truth))
    if any(incident.analytic == finding.analytic for incident in owners):
        return "extra"
    return "cross" if owners else "benign"


def _app_incidents(finding: Finding, truth: Truth) -> Iterator[TruthIncident]:
    if names_app(finding):
        yield from (one for one in truth.incidents if same_device(finding, one, truth) and same_app(finding, one))


def _order(finding: Finding) -> tuple[object, ...]:
    who = (finding.analytic, finding.device, finding.package or "", finding.peer or "")
    return (finding.decided_at, -finding.score, *who, finding.first_seen, finding.last_seen)
