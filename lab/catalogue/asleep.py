"""How much an app is heard while its phone sleeps deeply, against how long that is: whether Doze tells who is who.

Read off compiled timelines: nothing is played, and no detector is asked. An app whose contacts pay no heed to Doze has
about 1, one that Doze cuts off has 0; an app that its owner exempted is like the first, and may be honest or not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from lab.behaviours import Int64
from lab.catalogue.stumps import weighted_auc
from lab.timeline import POWER_STATES, Timeline

DEEP = POWER_STATES.index("doze-deep")
FEWEST = 30  # contacts below which an app's share says little (our choice)
FIRST_UID = 10_000  # AID_APP_START: the system's own are no apps


@dataclass(frozen=True)
class Heard:
    """One app of one phone: share of its contacts in deep Doze over the share of time that this is."""

    scenario: str
    package: str
    malicious: bool
    ratio: float


def heard(timeline: Timeline) -> Iterator[Heard]:
    """The apps with FEWEST contacts or more on phones that sleep deeply; of a malicious one what is labelled counts."""
    said, x = timeline.conversations, timeline.exchanges
    app, labelled = said.app[x.conversation], said.incident[x.conversation] >= 0
    guilty = {incident.app for incident in timeline.incidents}
    for number, one in enumerate(timeline.apps):
        share, edges = _deep(timeline, one.device)
        mine = (app == number) & (labelled | (number not in guilty))
        if one.uid < FIRST_UID or not share or mine.sum() < FEWEST:
            continue
        asleep = edges.searchsorted(x.time[mine], side="right") & 1
        yield Heard(timeline.scenario, one.package, number in guilty, float(asleep.mean()) / share)


def auc(rows: Iterable[Heard], parts: Mapping[str, frozenset[str]] | None = None) -> float:
    """The chance that a malicious app is heard more in deep Doze than an honest one, ties counted half.

    With ``parts`` (lab.catalogue.traits.parts_of) the honest ones are those that imitate a malicious one.
    """
    kept = [row for row in rows if row.malicious or parts is None or row.package in parts.get(row.scenario, ())]
    labels = np.array([row.malicious for row in kept], dtype=np.bool_)
    return weighted_auc(labels, np.array([row.ratio for row in kept], dtype=np.float64), np.ones(len(kept)))


def _deep(timeline: Timeline, device: int) -> tuple[float, Int64]:
    """The share of the span in which a phone sleeps deeply, and when it begins and ceases to, in turns."""
    mine = timeline.states.device == device
    deep = np.concatenate([[False], timeline.states.power[mine] == DEEP, [False]])
    times = np.append(timeline.states.time[mine], timeline.start + timeline.span)
    edges: Int64 = times[np.flatnonzero(np.diff(deep))]
    return float((edges[1::2] - edges[::2]).sum()) / timeline.span, edges
