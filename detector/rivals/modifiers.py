"""RITA's modifiers: what beside its shape makes a pair more or less suspect, each published as a number to add.

From default_config.hjson of activecm/rita at a3c51501, as facts about it were written down. What a sensor cannot tell
is NaN, and adds nothing. MIME and URI mismatches are left out: no table here holds them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from detector.columns import NULL, Int64, codes, numbered
from detector.grouped import Float64
from detector.rivals.pairs import Pairs, Windows

DAY_US = 86_400_000_000
RARE, COMMON = 0.02, 0.5  # of the devices seen that day
NEW_US, OLD_US = 7 * DAY_US, 30 * DAY_US
STEP, MISSING_HOST_STEP = 0.15, 0.10
MOST = 3 * STEP + MISSING_HOST_STEP  # all that can be added to one pair


@dataclass(frozen=True)
class Modifiers:
    """What is added to the scores of w windows; NaN: this sensor cannot tell."""

    prevalence: Float64
    first_seen: Float64
    missing_host: Float64
    rare_signature: Float64

    @property
    def total(self) -> Float64:
        """(w,) the sum, what is unknown left out."""
        return np.asarray(np.nansum([getattr(self, name) for name in vars(self)], axis=0), np.float64)


def modifiers(pairs: Pairs, windows: Windows, flows: pa.Table, begin: int, end: Int64) -> Modifiers:
    """The modifiers of each window; ``begin`` of the telemetry and ``end`` (w,) of the windows, in microseconds."""
    return Modifiers(
        prevalence=_prevalence(pairs, windows),
        first_seen=_first_seen(pairs, windows, begin, end),
        missing_host=_missing_host(pairs, windows, flows),
        rare_signature=_rare_signature(pairs, windows, flows),
    )


def prevalence_step(share: Float64) -> Float64:
    """What the share of devices that go there adds.

    >>> prevalence_step(np.array([0.01, 0.02, 0.1, 0.5, 1.0])).tolist()
    [0.15, 0.15, 0.0, -0.15, -0.15]
    """
    return np.where(share <= RARE, STEP, np.where(share >= COMMON, -STEP, 0.0))


def age_step(age: Int64, known: npt.NDArray[np.bool_]) -> Float64:
    """What it adds that a destination was first seen so many microseconds ago.

    Not ``known``: it was there when the telemetry began, and so is at least that old.

    >>> age_step(np.array([1, 8, 30, 1, 30]) * DAY_US, np.array([True, True, True, False, False])).tolist()
    [0.15, 0.0, -0.15, nan, -0.15]
    """
    told = np.where(age <= NEW_US, STEP, np.where(age >= OLD_US, -STEP, 0.0))
    return np.where(known | (age >= OLD_US), told, np.nan)


def _prevalence(pairs: Pairs, windows: Windows) -> Float64:
    device, peer = pairs.who.device.code[windows.owner], pairs.who.peer.code[windows.owner]
    there, _ = numbered(peer, windows.number)  # a window is one device's, so its count is one of devices
    lively = np.unique(np.stack([windows.number, device]), axis=1)[0]
    days, size = np.unique(lively, return_counts=True)
    return prevalence_step(np.bincount(there)[there] / size[np.searchsorted(days, windows.number)])


def _first_seen(pairs: Pairs, windows: Windows, begin: int, end: Int64) -> Float64:
    peer = pairs.who.peer.code
    first = np.full(len(pairs.who.peer.texts) + 1, np.iinfo(np.int64).max)
    np.minimum.at(first, peer[pairs.group], pairs.start)
    since = first[peer[windows.owner]]
    known = since >= begin + DAY_US  # the first day cannot tell what was there before
    return age_step(end - np.where(known, since, begin), known)


def _missing_host(pairs: Pairs, windows: Windows, flows: pa.Table) -> Float64:
    if flows["app_proto"].null_count == len(flows):
        return np.full(len(windows.owner), np.nan)
    plain = pc.fill_null(pc.equal(flows["app_proto"], "http"), False)
    silent = np.asarray(pc.and_(plain, pc.is_null(flows["host"])).to_numpy(), np.bool_)[pairs.row]
    return np.where(_any(silent, windows), MISSING_HOST_STEP, 0.0)


def _rare_signature(pairs: Pairs, windows: Windows, flows: pa.Table) -> Float64:
    """Raised where a client's stack (JA4, user agent) speaks to this destination alone, of all its device goes to.

    That this is what RITA calls rare is from memory.
    """
    found = np.zeros(len(windows.owner), np.bool_)
    told = False
    for name in ("ja4", "user_agent"):
        stack = codes(flows[name]).code[pairs.row]
        rows = np.flatnonzero(stack != NULL)
        told |= bool(len(rows))
        window = windows.window[rows]
        used = np.unique(np.stack([stack[rows], window]), axis=1)
        device = pairs.who.device.code[windows.owner[used[1]]]
        alike, _ = numbered(used[0], device, windows.number[used[1]])
        found[used[1][np.bincount(alike, minlength=1)[alike] == 1]] = True
    return np.where(found, STEP, 0.0) if told else np.full(len(found), np.nan)


def _any(flag: npt.NDArray[np.bool_], windows: Windows) -> npt.NDArray[np.bool_]:
    return np.bincount(windows.window[flag], minlength=len(windows.owner)) > 0
