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

from detector.analytics.polling_finding import Told, all_told
from detector.analytics.polling_measured import Measured, is_rare, measured
from detector.analytics.polling_onset import onset
from detector.analytics.polling_score import scored, scores
from detector.columns import Int64, stable_order
from detector.contract import Finding, Telemetry
from detector.grouped import Float64
from detector.signature import Signature
from detector.thresholds import PollingThresholds

__all__ = ["Measured", "command_polling", "measured", "scores"]


def command_polling(telemetry: Telemetry, limits: PollingThresholds, by: Signature) -> Iterator[Finding]:
    """Findings of AN1793, alerts and near misses, in the order of device, app and destination."""
    found = measured(telemetry, limits)
    if not len(found):
        return
    result = scored(found.columns, limits)
    told = all_told(found, result, _reported(found, result.score, limits), limits)
    decided = _decided(found, [one for one in told if one.alerts(limits)], limits)
    for one in sorted(told, key=lambda one: one.order):
        yield one.finding(limits, by, decided.get(one.group, int(one.contacts.times[-1])))


def _reported(found: Measured, score: Float64, limits: PollingThresholds) -> list[int]:
    """The groups that are told: near misses and more, merged ones only where no alert of its own tells the same."""
    near = score >= limits.threshold * limits.near_miss
    rare = np.array([is_rare(text) for text in found.destination.texts] + [False])[found.destination.code]
    alone = near & ~rare & (score >= limits.threshold)
    who = found.device.code * 2 + found.looked_up
    others = np.flatnonzero(alone)
    others = others[stable_order(who[others])]
    merged = np.flatnonzero(near & rare)
    begin, end = (np.searchsorted(who[others], who[merged], side=side).tolist() for side in ("left", "right"))
    for group, low, high in zip(merged.tolist(), begin, end, strict=True):
        theirs: list[Int64] = [found.rows(other) for other in others[low:high].tolist()]
        near[group] = not theirs or np.isin(found.rows(group), np.concatenate(theirs)).mean() < 0.5
    return [int(group) for group in np.flatnonzero(near)]


def _decided(found: Measured, alerts: Sequence[Told], limits: PollingThresholds) -> dict[int, int]:
    """When each alerting group had been seen enough of, microseconds, by group."""
    moments = {}
    for part, needed in product(found.parts, sorted({one.needed(limits) for one in alerts})):
        mine = [one for one in alerts if one.part is part and one.needed(limits) == needed]
        groups = np.array([one.number for one in mine], np.int64)
        lengths = onset(part, groups, found.known, replace(limits, threshold=needed)).tolist()
        for one, length in zip(mine, lengths, strict=True):
            moments[one.group] = int(one.contacts.times[length - 1])
    return moments
