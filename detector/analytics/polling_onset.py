"""When AN1793 had seen enough: the fewest first contacts of a group on which its score reaches the threshold.

Prefixes of all groups in question are judged together as one crowd, a few lengths of each at a time: sixteen between
the last that did not reach it and the first that did, until these are neighbours. The score is not monotone, so an
earlier brief crossing between two looks can be missed; at the length found the threshold is truly reached, and on one
contact less it is not. Only a group that crosses by the silence after its last contact is dated to that contact.
What others do (gate, prevalence, contact rate), which destination took over from which, the device's quiet hours, the
app's JA4s, which names were answered and which requests were read is taken from the whole telemetry; command_polling
dates nothing before the end that a survey of others has a part in.
"""

from __future__ import annotations

import numpy as np

from detector.analytics.polling_columns import columns_of
from detector.analytics.polling_history import pace_columns
from detector.analytics.polling_measured import Part
from detector.analytics.polling_score import scores
from detector.analytics.polling_surroundings import Surroundings
from detector.columns import Int64
from detector.thresholds import PollingThresholds

AT_ONCE = 16
#: Contacts of prefixes judged at once, so that long groups do not fill the memory.
LARGEST = 2_000_000


def onset(part: Part, groups: Int64, known: Surroundings, limits: PollingThresholds) -> Int64:
    """(k,) the length at which each of the groups crosses; all contacts of a group must reach the threshold."""
    low = np.full(len(groups), limits.connection_frequency_threshold - 1)
    high = part.crowd.counts[groups]
    low = np.minimum(low, high - 1)
    while (high - low > 1).any():
        open_ = np.flatnonzero(high - low > 1)
        room = np.maximum(LARGEST // (np.cumsum(high[open_]) * AT_ONCE).clip(1), 0) > 0
        chosen = open_[room] if room.any() else open_[:1]
        low[chosen], high[chosen] = _narrowed(part, groups[chosen], (low[chosen], high[chosen]), known, limits)
    return high


def _narrowed(
    part: Part, groups: Int64, between: tuple[Int64, Int64], known: Surroundings, limits: PollingThresholds
) -> tuple[Int64, Int64]:
    """The bracket around the first of a few lengths that crosses."""
    low, high = between
    steps = np.arange(1, AT_ONCE + 1)
    growth = (high / np.maximum(low, 1))[:, None] ** (steps / (AT_ONCE + 1))
    lengths = np.clip(np.floor(low[:, None] * growth).astype(np.int64), low[:, None] + 1, high[:, None] - 1)
    lengths = np.maximum.accumulate(lengths, axis=1)
    each = np.repeat(groups, AT_ONCE)
    crosses = _scores(part, each, lengths.ravel(), known, limits).reshape(lengths.shape) >= limits.threshold
    first = np.where(crosses.any(axis=1), crosses.argmax(axis=1), AT_ONCE)
    padded = np.concatenate([low[:, None], lengths, high[:, None]], axis=1)
    rows = np.arange(len(groups))
    return padded[rows, first], padded[rows, first + 1]


def _scores(
    part: Part, groups: Int64, lengths: Int64, known: Surroundings, limits: PollingThresholds
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """(k,) the score of the first contacts of each, as if the telemetry had ended with the last of them."""
    prefix = part.crowd.taken(groups, lengths)
    columns = columns_of(prefix, prefix.last, known, limits)
    usual, own, newcomers = (column[groups] for column in part.paces)
    paced = pace_columns(prefix, prefix.last, known, (usual, own, newcomers))
    return scores(columns | {name: column[groups] for name, column in part.around.items()} | paced, limits)
