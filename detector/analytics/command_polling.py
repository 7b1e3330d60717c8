"""AN1793: an app that keeps asking one destination for commands, over protocols that look like any other.

What it says wrongly: every honest timer whose purpose the inventory does not know, to a destination nobody else has.
Without a learned baseline it cannot tell a controller from a vendor; it says so in the reasons, and never claims high
severity.

What it can no longer see, by view (DESIGN section 5):

| view | lost | what is then missed |
|---|---|---|
| full | - | polls that mimic use, sizes and destinations of an ordinary app |
| no-decryption | Host against SNI | domain fronting, but for the app that has no business at that front |
| no-state | lock, foreground, interaction | locked-only polls, exponential sleeps with varied sizes |
| no-app | app, category, role, stacks per app | dead drops on services that others use; mail from a torch |
| no-sni | names, look-ups | new domains on known addresses; DGA, DNS polls; naming, prevalence by address only |
| netflow | all payload and state | exchanges inside long flows (WebSocket), empty polls behind TLS handshakes |
| dns-only | everything but look-ups | whatever does not look up each time: the cache hides polls faster than the TTL |
| sampled-1in100 | most small flows | polls of a few packets; what remains has no period and no size |
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product

import numpy as np
import numpy.typing as npt

from detector.analytics.polling_finding import Told, all_told
from detector.analytics.polling_measured import Measured, measured
from detector.analytics.polling_onset import onset
from detector.analytics.polling_score import Scored, scored, scores
from detector.contract import Finding, Telemetry
from detector.signature import Signature
from detector.thresholds import PollingThresholds

__all__ = ["Measured", "command_polling", "measured", "scores"]


def command_polling(telemetry: Telemetry, limits: PollingThresholds, by: Signature) -> Iterator[Finding]:
    """Findings of AN1793, alerts and near misses, in the order of device, app and destination."""
    found = measured(telemetry, limits)
    if not len(found):
        return
    told = _reported(found, scored(found.columns, limits), limits)
    decided = _decided(found, [one for one in told if one.alerts(limits)], limits)
    for one in sorted(told, key=lambda one: one.order):
        yield one.finding(limits, by, decided.get(one.group, int(one.contacts.times[-1])))


def _reported(found: Measured, result: Scored, limits: PollingThresholds) -> list[Told]:
    """The groups that are told: near misses and more.

    Merged ones and single hosts only where no alert about a destination by itself tells the same.
    """
    near = result.score >= limits.threshold * limits.near_miss
    beside = found.beside
    told = all_told(found, result, np.flatnonzero(near & ~beside), limits)
    alerts = [one for one in told if one.alerts(limits)]
    covered = {looked_up: _rows(found, alerts, looked_up=looked_up) for looked_up in (False, True)}
    for one in all_told(found, result, np.flatnonzero(near & beside), limits):
        if covered[one.contacts.looked_up][one.contacts.rows].mean() < 0.5:
            told.append(one)
    return told


def _rows(found: Measured, alerts: Sequence[Told], *, looked_up: bool) -> npt.NDArray[np.bool_]:
    """(n,) which rows of dns, or of flows, some alert tells; each row is of one device and app."""
    said = found.known.lookups if looked_up else found.known.flows
    marked = np.zeros(0 if said is None else len(said.flow), np.bool_)
    for one in alerts:
        if one.contacts.looked_up == looked_up:
            marked[one.contacts.rows] = True
    return marked


def _asked_others(one: Told) -> bool:
    """Whether what other devices or apps do is in the score."""
    known = one.verdict.known
    return known("fleet") != 0 or known("prevalence") is not None or known("contact_rate") is not None


def _decided(found: Measured, alerts: Sequence[Told], limits: PollingThresholds) -> dict[int, int]:
    """When each alerting group had been seen enough of, microseconds, by group.

    Without a learned baseline what others do is known when all of the telemetry is: at its end, and not before. Where
    there were no others to ask, nothing of it is in the score.
    """
    waiting = {one.group for one in alerts if found.known.baseline.itself and _asked_others(one)}
    moments = dict.fromkeys(waiting, found.known.span[1])
    alerts = [one for one in alerts if one.group not in waiting]
    for part, needed in product(found.parts, sorted({one.needed(limits) for one in alerts})):
        mine = [one for one in alerts if one.part is part and one.needed(limits) == needed]
        groups = np.array([one.number for one in mine], np.int64)
        lengths = onset(part, groups, found.known, replace(limits, threshold=needed)).tolist()
        for one, length in zip(mine, lengths, strict=True):
            moments[one.group] = int(one.contacts.times[length - 1])
    return moments
