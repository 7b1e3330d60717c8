"""The groups of AN1793 against their app's own past: a known destination's pace, an app's habit of new ones, moves.

Columns surge, own_places and succession, and the two rates they come from; all NaN without a learned baseline. Of old
destinations only those that fell silent are tried, the busiest CANDIDATES of each app.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from detector.analytics.polling_surroundings import Surroundings
from detector.columns import NULL, Codes, Int64
from detector.contacts import Crowd, Flows, Pairs
from detector.features.succession import succession
from detector.features.surge import surge
from detector.flow_columns import MERGE_US
from detector.grouped import Float64, grouped_kinds, grouped_sum, spans
from detector.learned.part import keyed
from detector.learned.shares import placed

DAY_US = 86_400_000_000
CANDIDATES = 32
SILENT = 3.0  # contacts missed: a Poisson process is silent that long once in twenty times
Paces = tuple[Float64, Float64, Float64]
NAMES = ("per_day", "usual_per_day", "surge", "own_places", "succession")


def history_columns(crowd: Crowd, known: Surroundings, own_days: Float64, paces: Paces) -> dict[str, Float64]:
    """(g,) each: see the features of these names; ``paces`` of ``usual_paces``.

    ``own_days`` (g,): where the app went before, nothing can have been taken over: 0. Of a merged group there is no one
    destination whose pace or move could be known.
    """
    unknown = np.full(len(crowd), np.nan)
    if known.baseline.itself or not len(crowd):
        return dict.fromkeys(NAMES, unknown)
    until = np.full(len(crowd), known.span[1])
    paced = pace_columns(crowd, until, known, paces)
    return {**paced, "succession": unknown if crowd.pairs.merged else _successions(crowd, known, own_days == 0)}


def usual_paces(crowd: Crowd, known: Surroundings) -> Paces:
    """(g,) usual a day: contacts with the destination (of a merged group with strangers), with own places, newcomers.

    NaN: without a learned baseline, or of an app that was not there.
    """
    if known.baseline.itself or not len(crowd):
        unknown = np.full(len(crowd), np.nan)
        return unknown, unknown, unknown
    pace = known.baseline_of(crowd.pairs).pace(crowd.device, crowd.package, crowd.destination)
    if crowd.pairs.merged:
        return pace.strangers, pace.strangers, pace.newcomers
    return pace.usual, pace.own_places, np.full(len(crowd), np.nan)


def pace_columns(crowd: Crowd, until: Int64, known: Surroundings, paces: Paces) -> dict[str, Float64]:
    """(g,) the rates up to ``until`` (g,) against the usual ones, no part of a day for a whole one.

    ``own_places``: how far the rate lies above what the app's users have with destinations of their own; 1 for apps
    that have none. Of a merged group how many destinations it met may be usual as well.
    """
    usual, own, newcomers = paces
    if known.baseline.itself:
        return dict.fromkeys(NAMES[:-1], np.full(len(crowd), np.nan))
    days = np.maximum((until - known.span[0]) / DAY_US, 1.0)
    per_day = as_learned(crowd) / days
    habit = np.where(own == 0, 1.0, surge(per_day, own))
    if crowd.pairs.merged and len(crowd):
        met = surge(_distinct(crowd, known) / days, newcomers)
        habit = np.where(np.nan_to_num(newcomers) > 0, np.minimum(habit, met), habit)
    return {
        "per_day": per_day,
        "usual_per_day": usual,
        "surge": surge(per_day, np.where(crowd.pairs.merged | (usual == 0), np.nan, usual)),
        "own_places": habit,
    }


def _distinct(crowd: Crowd, known: Surroundings) -> Float64:
    """(g,) how many destinations each merged group has."""
    whom = known.destination_of(crowd.rows, looked_up=crowd.looked_up)
    group, _ = grouped_kinds(whom.code, crowd.row_edges)
    return np.bincount(group, minlength=len(crowd)).astype(np.float64)


def as_learned(crowd: Crowd) -> Float64:
    """(g,) contacts as a baseline counts them: closer than its merge gap are one, however finely they are judged."""
    apart = np.diff(crowd.times, prepend=0) > MERGE_US
    apart[crowd.edges[:-1]] = True
    return grouped_sum(apart, crowd.edges)


def _successions(crowd: Crowd, known: Surroundings, fresh: npt.NDArray[np.bool_]) -> Float64:
    """(g,) of the fresh the best destination of the app that fell silent; NaN where the app was not there before."""
    baseline = known.baseline_of(crowd.pairs)
    combined, former = baseline.known, baseline.former()
    sizes = len(combined.devices), len(combined.packages)
    app = keyed((former.device, sizes[0]), (former.package, sizes[1]))
    last = _last(known, crowd.pairs)
    missing = former.per_day * (known.span[1] - last) / DAY_US
    order = np.lexsort((-former.per_day, app))
    order = order[missing[order] >= SILENT]
    heads = np.flatnonzero(np.diff(app[order], prepend=-1) != 0)
    each = np.arange(len(order)) - np.repeat(heads, np.diff(np.append(heads, len(order))))
    order = order[each < CANDIDATES]
    device, package = placed(crowd.device, combined.devices), placed(crowd.package, combined.packages)
    there = (device >= 0) & (package >= NULL)
    mine = keyed((np.where(there, device, NULL), sizes[0]), (np.where(there, package, NULL), sizes[1]))
    begin, end = (np.searchsorted(app[order], mine, side=side) for side in ("left", "right"))
    many = np.where(fresh, end - begin, 0)
    group = np.repeat(np.arange(len(crowd)), many)
    old = order[spans(begin, many)]
    time_left = np.maximum(known.span[1] - crowd.first, 1)
    rate = as_learned(crowd) * DAY_US / time_left
    apart = (crowd.first[group] - last[old]) / DAY_US
    found = succession(
        missing[old],
        np.maximum(-apart, 0.0) * DAY_US / time_left[group],
        np.maximum(apart, 0.0),
        np.log2(rate[group] / former.per_day[old]),
        last[old] > known.span[0],
    )
    best = np.where(there & np.isin(mine, app), 0.0, np.nan)
    np.maximum.at(best, group, found)
    return best


def _last(known: Surroundings, pairs: Pairs) -> Int64:
    """(k,) until when each pair of the learning period still spoke; the beginning where it does not any more."""
    baseline = known.baseline_of(pairs)
    former, combined = baseline.former(), baseline.known
    texts = combined.devices, combined.packages, combined.destinations
    sizes = [len(part) for part in texts]
    keys = keyed(*zip((former.device, former.package, former.destination), sizes, strict=True))
    order = np.argsort(keys)
    last = np.full(len(keys), known.span[0])
    said = pairs.said.end if isinstance(pairs.said, Flows) else pairs.said.time
    ends = np.maximum.reduceat(said[pairs.rows], pairs.edges[:-1])
    columns = (pairs.device, pairs.package, pairs.destination)
    places = [placed(Codes(part.code, part.texts), text) for part, text in zip(columns, texts, strict=True)]
    met = np.flatnonzero((places[0] >= 0) & (places[1] >= NULL) & (places[2] >= 0))
    wanted = keyed(*zip([part[met] for part in places], sizes, strict=True))
    place = np.minimum(np.searchsorted(keys[order], wanted), max(len(keys) - 1, 0))
    same = keys[order][place] == wanted if len(keys) else np.zeros(len(met), np.bool_)
    np.maximum.at(last, order[place[same]], ends[met[same]])
    return last
