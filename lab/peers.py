"""Which hosts the peers of a batch are: rows of the cast, each keyed by whom the host belongs to."""

from __future__ import annotations

import numpy as np

from lab.behaviours import Batch, Int64
from lab.cast import Cast, generator
from lab.plans import AppPlan

CHOSEN = 5  # popular hosts from which on its owner chose them; fewer are the app's choice, the same on all phones
NOBODY = -1  # the row of a peer that nobody speaks to: it needs neither a name nor an address


def peer_rows(cast: Cast, batch: Batch, device: str, zone: str, key: tuple[object, ...]) -> Int64:
    """The cast's rows of a batch's peers: popular and tail ones drawn together, the others by their owner.

    ``zone`` is whose domain the vendor's hosts stand under, ``key`` that of the behaviour, ending in kind and number.
    """
    wanted = _wanted(batch)
    kind, nth = key[-2:]
    rows = np.full(len(batch.peers), NOBODY, dtype=np.int64)
    for reach, ranks in (("popular", cast.popular_ranks), ("tail", cast.tail_ranks)):
        places = [place for place, peer in enumerate(batch.peers) if peer.reach == reach]
        if places:
            whose = key if reach == "tail" or len(places) >= CHOSEN else [part for part in key if part != device]
            found = ranks(generator(*whose, reach), len(places))
            for place, rank in zip(places, found, strict=True):
                rows[place] = cast.host(reach, rank) if place in wanted else NOBODY
    for place in sorted(wanted):
        reach = batch.peers[place].reach
        if reach in {"vendor", "tenant", "literal"}:
            rows[place] = cast.host(reach, zone, kind, nth, place)
        elif reach in {"own", "lan"}:
            rows[place] = cast.host(reach, f"{zone}/{device}", kind, nth, place)
        elif reach == "fresh":
            rows[place] = cast.host(reach, f"{zone}/{device}/{kind}/{nth}/{place}")
        elif reach == "resolver":
            rows[place] = cast.zone(zone)
        elif reach == "group":
            rows[place] = cast.group(_first_protocol(batch, place))
    return rows


def zone_of(plan: AppPlan, *, moved: bool) -> str:
    """Whose zone an app's hosts stand in: its package's, or after a move another one of the same package."""
    return f"{plan.package} moved" if moved else plan.package


def _wanted(batch: Batch) -> set[int]:
    """The peers that are spoken to, or named in how a conversation is carried (``@3``, ``@3:443``)."""
    named = [value for speech in batch.speeches for value in speech.options.values() if value.startswith("@")]
    return {*np.unique(batch.peer).tolist(), *(int(value[1:].partition(":")[0]) for value in named)}


def _first_protocol(batch: Batch, place: int) -> str:
    """What a batch speaks with its peer of that place; if nothing, its first protocol."""
    spoken = batch.speech[batch.peer == place]
    return batch.speeches[int(spoken[0]) if len(spoken) else 0].protocol
