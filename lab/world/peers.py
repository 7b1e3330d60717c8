"""Which hosts the peers of a batch are: rows of the cast, each keyed by whom the host belongs to."""

from __future__ import annotations

from typing import Any

import numpy as np

from lab.authoring.plans import AppPlan
from lab.behaviours import Batch, Int64
from lab.seeds import generator
from lab.world.cast import Cast

CHOSEN = 5  # popular hosts from which on its owner chose them; fewer are the app's choice, the same on all phones
FIRST = {"popular": 0, "tail": 1}  # reaches whose hosts are made before those of others
PeerKey = tuple[Any, ...]  # a reach and whose host it is
NOBODY = -1  # the row of a peer that nobody speaks to: it needs neither a name nor an address


def peer_keys(
    batch: Batch, device: str, zone: str, key: tuple[object, ...], when: tuple[str, ...] = ()
) -> dict[int, PeerKey]:
    """The keys in the cast of those peers that matter, by their places and in the order in which they are made.

    ``zone`` is whose domain the vendor's hosts stand under, ``key`` that of the behaviour, ending in kind and number.
    Popular and tail ones are drawn together, the others belong to their owner. Resolvers and groups have none: the
    place of one has its reach alone. ``when`` ends the keys of peers that are met in passing: other days, others.
    """
    kind, nth = key[-2:]
    reaches = [peer.reach for peer in batch.peers]
    drawn = _ranks(reaches, device, key)
    if when:
        others = _ranks(reaches, device, key, when)
        drawn |= {place: rank for place, rank in others.items() if batch.peers[place].passing}
    found: dict[int, PeerKey] = {}
    for place in sorted(_wanted(batch), key=lambda place: (FIRST.get(reaches[place], len(FIRST)), place)):
        reach, peer = reaches[place], batch.peers[place]
        since = when if peer.passing else ()
        if peer.made:
            found[place] = ("void" if peer.void else "made", peer.made, _beneath(reach, zone))
        elif reach in FIRST:
            found[place] = (reach, drawn[place])
        elif reach in {"vendor", "tenant", "literal"}:
            found[place] = (reach, zone, kind, nth, place, *since)
        elif reach in {"own", "lan"}:
            found[place] = (reach, f"{zone}/{device}", kind, nth, place, *since)
        elif reach == "fresh":
            found[place] = (reach, "/".join(map(str, (zone, device, kind, nth, place, *since))))
        else:
            found[place] = (reach,)
    return found


def rows_of(cast: Cast, batch: Batch, zone: str, keys: dict[int, PeerKey]) -> Int64:
    """The cast's rows of a batch's peers, whose keys are known."""
    rows = np.full(len(batch.peers), NOBODY, dtype=np.int64)
    for place, key in keys.items():
        if key == ("resolver",):
            rows[place] = cast.zone(zone)
        elif key[0] == "void":
            rows[place] = cast.void(*key[1:])
        elif key == ("group",):
            rows[place] = cast.group(_first_protocol(batch, place))
        else:
            rows[place] = cast.host(*key)
    return rows


def _beneath(reach: str, zone: str) -> str:
    """Whose domain a name stands under that an app makes up: nobody's, if it registers it, else of that key."""
    return {"fresh": "", "local": "the network's own"}.get(reach, zone)


def _ranks(reaches: list[str], device: str, key: tuple[object, ...], when: tuple[str, ...] = ()) -> dict[int, int]:
    """The ranks of the places with a popular or tail host, all of one reach drawn together."""
    found: dict[int, int] = {}
    for reach, ranks in (("popular", Cast.popular_ranks), ("tail", Cast.tail_ranks)):
        if count := reaches.count(reach):
            whose = key if reach == "tail" or count >= CHOSEN else tuple(part for part in key if part != device)
            places = (place for place, other in enumerate(reaches) if other == reach)
            found.update(zip(places, ranks(generator(*whose, reach, *when), count), strict=True))
    return found


def zone_of(plan: AppPlan, *, moved: bool) -> str:
    """Whose zone an app's hosts stand in: its package's, or after a move another one of the same package."""
    return f"{plan.package} moved" if moved else plan.package


def _wanted(batch: Batch) -> set[int]:
    """The peers that are spoken to, or named in how a conversation is carried (``@3``, ``@3:443``)."""
    named = [value for speech in batch.speeches for value in speech.options.values() if value.startswith("@")]
    return {*np.flatnonzero(np.bincount(batch.peer)).tolist(), *(int(value[1:].partition(":")[0]) for value in named)}


def _first_protocol(batch: Batch, place: int) -> str:
    """What a batch speaks with its peer of that place; if nothing, its first protocol."""
    spoken = batch.speech[batch.peer == place]
    return batch.speeches[int(spoken[0]) if len(spoken) else 0].protocol
