"""AN1793: an app that keeps asking one destination for commands, over protocols that look like any other.

What it says wrongly: every honest timer whose purpose the inventory does not know. Without a learned baseline it
cannot tell a controller from a vendor; it says so in the reasons and never claims high severity for shape alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from detector.analytics.polling_bound import PollingBound
from detector.analytics.polling_evidence import Surroundings, survey
from detector.analytics.polling_reasons import polling_reasons
from detector.analytics.polling_score import ODD, Judgement, crossing, judge
from detector.contacts import Contacts, Merging, Worth, all_of, flow_contacts, lookup_contacts, outbound_rows
from detector.contract import Finding, Telemetry
from detector.destinations import registrable
from detector.inventory import Installed, allowance
from detector.signature import Signature
from detector.thresholds import PollingThresholds

ANALYTIC = "AN1793"


def command_polling(telemetry: Telemetry, limits: PollingThresholds, by: Signature) -> Iterator[Finding]:
    """Findings of AN1793, alerts and near misses, in the order of device, app and destination."""
    known = survey(telemetry)
    for contacts in _groups(telemetry, known, limits, PollingBound(known, limits)):
        app = known.inventory.find(contacts.device, contacts.uid, contacts.package)
        found = judge(contacts, app, known, limits)
        if found.score >= limits.threshold * limits.near_miss:
            excuse = _excuse(app, found, limits)
            decided = len(contacts)
            if found.score >= limits.threshold and not excuse:
                decided = crossing(contacts, app, known, limits)
            yield _finding(contacts, app, found, excuse, limits, by, decided_at=int(contacts.times[decided - 1]))


def every_group(telemetry: Telemetry, limits: PollingThresholds) -> Iterator[tuple[Contacts, Judgement]]:
    """Every group of contacts frequent enough to be looked at, with its judgement, innocent or not: for measuring."""
    known = survey(telemetry)
    for contacts in _groups(telemetry, known, limits, all_of):
        app = known.inventory.find(contacts.device, contacts.uid, contacts.package)
        yield contacts, judge(contacts, app, known, limits)


def _groups(telemetry: Telemetry, known: Surroundings, limits: PollingThresholds, worth: Worth) -> Iterator[Contacts]:
    merging = Merging(limits.merge_gap_s, limits.connection_frequency_threshold)
    found: list[Iterator[Contacts]] = []
    if known.flows is not None:
        considered = outbound_rows(known.flows, known.lookups, limits.ignored_ports)
        exchanges = telemetry.tables.get("exchanges")
        found.append(flow_contacts(known.flows, considered, exchanges, merging, worth))
    if known.lookups is not None:
        found.append(lookup_contacts(known.lookups, merging))
    return chain.from_iterable(found)


def _finding(  # noqa: PLR0917 - one finding is drawn from all of these
    contacts: Contacts,
    app: Installed | None,
    found: Judgement,
    excuse: str | None,
    limits: PollingThresholds,
    by: Signature,
    *,
    decided_at: int,
) -> Finding:
    score = found.score * (1 - limits.allowed_relief) if excuse else found.score
    alert = bool(score >= limits.threshold) and not excuse
    reasons = polling_reasons(contacts, found, limits)
    if excuse:
        reasons += (allowance(excuse, limits.allowed_relief),)
    return Finding(
        analytic=ANALYTIC,
        device=contacts.device,
        uid=contacts.uid,
        package=contacts.package or (app.package if app else None),
        peer=found.peer.name,
        first_seen=int(contacts.times[0]),
        last_seen=int(contacts.times[-1]),
        decided_at=decided_at,
        score=round(score, 6),
        alert=alert,
        severity=_severity(found) if alert else "informational",
        detector=by.name,
        detector_version=by.version,
        reasons=reasons,
        partial=by.partial,
    )


def _excuse(app: Installed | None, found: Judgement, limits: PollingThresholds) -> str | None:
    """Why a finding may not alert: inventory, role, or destination on a list; None if it may."""
    names = {found.peer.name, registrable(found.peer.name), *found.peer.addresses}
    if names & limits.allowed_destination_list:
        return f"{found.peer.name} is in AllowedDestinationList"
    if app is None:
        return None
    if app.sanctioned:
        return f"the inventory holds {app.package} for sanctioned"
    return app.allowed(limits.allowed_app_list, limits.allowed_roles)


def _severity(found: Judgement) -> str:
    """From the combination of indicators; high needs device state and a deviation beyond shape.

    Combined: regular in time and size, in the background whether locked or not, odd in name, protocol or tasks,
    from an app whose category does not explain it.
    """
    state = found.factors["background_use"]
    steady = [found.factors[name] or 0.0 for name in ("interval_regularity", "size_constancy")]
    signs = [min(steady) >= 0.5, (state or 0.0) >= 0.6, found.explained is False]
    signs.append(max([0.0, *(value for value in found.anomalies.values() if value is not None)]) >= ODD)
    if sum(signs) >= 3 and state is not None and state >= 0.6:
        return "high"
    return "medium" if sum(signs) >= 2 else "low"
