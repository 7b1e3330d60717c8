"""The score of AN1793: from contacts and their surroundings to factors, one number and the prefix it needed.

Evidence times relief times a weighted mean, lifted by anomalies. Every part is in 0..1 and none is negative, so each
can be printed and disputed. A factor that is unknown takes its weight away; it never counts as zero.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from detector.analytics.polling_evidence import Peer, Surroundings, moments_locked, others, peer_of
from detector.contacts import Contacts
from detector.features.background_share import background_share
from detector.features.dns_tunnel import dns_tunnel
from detector.features.evidence import evidence
from detector.features.gap_floor import gap_floor
from detector.features.hour_coverage import hour_coverage
from detector.features.interval_regularity import interval_regularity
from detector.features.lock_independence import lock_independence
from detector.features.lock_preference import lock_preference
from detector.features.mode_share import mode_share
from detector.features.name_anomaly import name_anomaly
from detector.features.prevalence import prevalence
from detector.features.protocol_role import protocol_role
from detector.features.size_constancy import size_constancy
from detector.features.size_symmetry import size_symmetry
from detector.features.smallness import smallness
from detector.features.task_mixture import task_mixture
from detector.inventory import Installed
from detector.lookups import Lookups
from detector.thresholds import PollingThresholds

#: Anomalies at least that strong cancel what a category explains.
ODD = 0.5
TIMING = ("interval_regularity", "gap_floor", "mode_share")


@dataclass(frozen=True)
class Judgement:
    """The factors of one group and what became of them."""

    peer: Peer
    score: float
    evidence: float
    shape: float
    factors: Mapping[str, float | None]  # by the names in [AN1793.weights]
    anomalies: Mapping[str, float | None]
    explained: bool | None  # the category explains background contacts; None: category unknown
    prevalence: float | None
    state: Mapping[str, float | None]  # lock_independence, background_share, lock_preference, idle_share
    symmetry: float | None


def judge(contacts: Contacts, app: Installed | None, known: Surroundings, limits: PollingThresholds) -> Judgement:
    """The judgement over all contacts given."""
    peer = peer_of(contacts, known)
    state = _state(contacts, known, limits)
    factors = _factors(contacts, state, known.span, limits)
    anomalies = _anomalies(contacts, peer, app, limits)
    shape = weighted_mean(factors, effective_weights(factors, limits.weights))
    odd = max([0.0, *(value for value in anomalies.values() if value is not None)])
    explained = _explained(app, odd, limits)
    widespread = prevalence(*others(contacts, known))
    relief = (1 - limits.role_relief * bool(explained)) * (1 - limits.prevalence_relief * (widespread or 0.0))
    seen = evidence(len(contacts), limits.evidence_scale)
    lifted = 1 - (1 - shape) * (1 - limits.anomaly_lift * odd)
    return Judgement(
        peer=peer,
        score=float(seen * relief * lifted),
        evidence=seen,
        shape=shape,
        factors=factors,
        anomalies=anomalies,
        explained=explained,
        prevalence=widespread,
        state=state,
        symmetry=size_symmetry(contacts.up, contacts.down),
    )


def weighted_mean(factors: Mapping[str, float | None], weights: Mapping[str, float]) -> float:
    """Mean of the known factors by their weights; 0 if nothing is known.

    >>> weighted_mean({"a": 1.0, "b": None, "c": 0.5}, {"a": 1, "b": 7, "c": 1})
    0.75
    """
    known = [(value, weights.get(name, 0.0)) for name, value in factors.items() if value is not None]
    total = sum(weight for _, weight in known)
    return sum(value * weight for value, weight in known) / total if total else 0.0


def effective_weights(factors: Mapping[str, float | None], weights: Mapping[str, float]) -> dict[str, float]:
    """The weights, with that of an unknown background use handed to the timing factors.

    Both answer the same question, whether a machine or a person drives the contacts; without device state only
    timing can, and equal sizes spread over the day must not alert by themselves (any heartbeat has them).

    >>> known = dict.fromkeys(("interval_regularity", "gap_floor", "mode_share"), 1.0) | {"background_use": None}
    >>> effective_weights(known, dict(zip(known, (2.0, 1.0, 1.0, 4.0))))
    {'interval_regularity': 4.0, 'gap_floor': 2.0, 'mode_share': 2.0, 'background_use': 0.0}
    """
    given = {name: weights.get(name, 0.0) for name in factors}
    timing = sum(given[name] for name in TIMING if factors[name] is not None)
    if factors["background_use"] is not None or not timing:
        return given
    grown = 1 + given["background_use"] / timing
    return {
        name: 0.0 if name == "background_use" else w * (grown if name in TIMING else 1) for name, w in given.items()
    }


def crossing(contacts: Contacts, app: Installed | None, known: Surroundings, limits: PollingThresholds) -> int:
    """Fewest first contacts on which the score reaches the threshold, given that all of them do.

    Looks at lengths growing by a third, then halves the last step: the score is not monotone, so an earlier brief
    crossing between two looks can be missed, but at the length returned the threshold is truly crossed. What others
    contact (prevalence) is taken from the whole telemetry.
    """

    def crosses(length: int) -> bool:
        part, seen = _prefix(contacts, length, known)
        return judge(part, app, seen, limits).score >= limits.threshold

    low, high = limits.connection_frequency_threshold - 1, limits.connection_frequency_threshold
    while high < len(contacts) and not crosses(high):
        low, high = high, max(high + 1, int(high * 1.33))
    high = min(high, len(contacts))
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if crosses(middle) else (middle, high)
    return high


def _prefix(contacts: Contacts, length: int, known: Surroundings) -> tuple[Contacts, Surroundings]:
    """The first contacts, the rows begun by then, and a span that ends with them."""
    last = int(contacts.times[length - 1])
    table = known.lookups if contacts.looked_up else known.flows
    assert table is not None
    begun = table.time if isinstance(table, Lookups) else table.start
    part = replace(
        contacts,
        times=contacts.times[:length],
        up=contacts.up[:length],
        down=contacts.down[:length],
        rows=contacts.rows[begun[contacts.rows] <= last],
    )
    return part, replace(known, span=(known.span[0], last))


def _state(contacts: Contacts, known: Surroundings, limits: PollingThresholds) -> dict[str, float | None]:
    states = known.states.get(contacts.device)
    if states is None:
        return dict.fromkeys(("lock_independence", "background_share", "lock_preference", "idle_share"))
    locks = moments_locked(contacts.times, states, known.span)
    background = states.background_at(contacts.times, contacts.uid)
    idle = states.idle_at(contacts.times, limits.last_user_interaction_delta)
    lock, app = limits.device_lock_state == "locked", limits.app_state == "background"
    return {
        "lock_independence": lock_independence(*locks) if lock else None,
        "background_share": background_share(background == 1, background >= 0) if app else None,
        "lock_preference": lock_preference(*locks) if lock else None,
        "idle_share": background_share(idle == 1, idle >= 0),
    }


def _background_use(state: Mapping[str, float | None]) -> float | None:
    """The larger of sqrt(lock independence) * background share, and 0.8 * lock preference (measurements, 6.1).

    None unless both lock states were seen long enough: on a device nobody touched, everything is background.
    """
    independence, background, preference = (
        state[name] for name in ("lock_independence", "background_share", "lock_preference")
    )
    if independence is None or preference is None:
        return None
    return max(math.sqrt(independence) * (1.0 if background is None else background), 0.8 * preference)


def _factors(
    contacts: Contacts, state: Mapping[str, float | None], span: tuple[int, int], limits: PollingThresholds
) -> dict[str, float | None]:
    gaps = contacts.gaps_s()
    return {
        "interval_regularity": interval_regularity(gaps, memoryless=limits.beacon_interval_variance_threshold),
        "gap_floor": gap_floor(gaps),
        "mode_share": mode_share(gaps),
        "background_use": _background_use(state),
        "size_constancy": size_constancy(contacts.up, contacts.down, spread=limits.payload_symmetry_threshold),
        "smallness": smallness(contacts.up, contacts.down),
        "hour_coverage": hour_coverage(contacts.times, span),
    }


def _anomalies(
    contacts: Contacts, peer: Peer, app: Installed | None, limits: PollingThresholds
) -> dict[str, float | None]:
    baseline = limits.app_network_role_baseline.protocols
    category = app.category if app is not None else None
    parts = [category, *sorted(app.roles)] if app is not None and category is not None else []
    allowed = frozenset().union(*(baseline.get(part, frozenset()) for part in parts)) if parts else None
    return {
        "name_anomaly": name_anomaly(peer.naming, bits=limits.payload_entropy_threshold),
        "dns_tunnel": dns_tunnel(list(peer.labels), list(peer.types)) if contacts.looked_up else None,
        "protocol_role": protocol_role(peer.protocols, allowed),
        "task_mixture": task_mixture(contacts.times, contacts.up, contacts.down),
    }


def _explained(app: Installed | None, odd: float, limits: PollingThresholds) -> bool | None:
    if app is None or (app.category is None and not app.roles):
        return None
    # a role says more than a category: browsers and messengers share one, and only the latter sync unseen
    known_as = app.roles or {app.category}
    return odd < ODD and bool(known_as & limits.app_network_role_baseline.background)
