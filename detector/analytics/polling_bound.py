"""What the score of AN1793 cannot exceed, for all groups at once: who stays below a near miss is not judged at all.

Law: never less than the judgement's score, or findings would be lost. Timing, sizes and hours are computed as the
features compute them; what would need a look at one group (its app, its states) counts as the worst it could be.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detector.analytics.polling_evidence import Surroundings
from detector.analytics.polling_score import TIMING
from detector.contacts import Crowd
from detector.destinations import is_address, label_of
from detector.features.gap_floor import EXPONENTIAL_FLOOR
from detector.features.hour_coverage import HOUR_US, LEAST_HOURS
from detector.features.mode_share import EXPONENTIAL_SHARE, LARGEST_MULTIPLE, TOLERANCE
from detector.features.name_entropy import name_entropy
from detector.features.prevalence import prevalence
from detector.features.protocol_role import EVERYDAY
from detector.features.task_mixture import LEAST_SHARE
from detector.grouped import Float64, grouped_clusters, grouped_gaps, grouped_quantiles
from detector.thresholds import PollingThresholds

#: Sums in another order may differ in their last digits.
SLACK = 1e-9


@dataclass(frozen=True)
class PollingBound:
    """Which groups of one telemetry are worth a judgement."""

    known: Surroundings
    limits: PollingThresholds

    def __call__(self, crowd: Crowd) -> npt.NDArray[np.bool_]:
        """(g,) whether the score could be a near miss."""
        return self.scores(crowd) >= self.limits.threshold * self.limits.near_miss

    def scores(self, crowd: Crowd) -> Float64:
        """(g,) numbers no less than each group's score."""
        shape, odd = self._shape(crowd), self._odd(crowd)
        seen = -np.expm1(-crowd.counts / self.limits.evidence_scale)
        lifted = 1 - (1 - shape) * (1 - self.limits.anomaly_lift * odd)
        return np.asarray(seen * self._relief(crowd) * lifted + SLACK, np.float64)

    def _shape(self, crowd: Crowd) -> Float64:
        """The weighted mean, the larger of both: background use unknown, or as much as can be."""
        factors = _timing(crowd, self.limits) | _volume(crowd, self.limits) | {"hour_coverage": self._hours(crowd)}
        weights = self.limits.weights
        timing = sum(weights.get(name, 0.0) for name in TIMING)
        use = weights.get("background_use", 0.0)
        grown = {name: (1 + use / timing if name in TIMING and timing else 1.0) for name in factors}
        unknown = _mean({name: (value, weights.get(name, 0.0) * grown[name]) for name, value in factors.items()})
        if not self.known.states:
            return unknown
        plain = {name: (value, weights.get(name, 0.0)) for name, value in factors.items()}
        return np.maximum(unknown, _mean(plain | {"background_use": (np.ones(len(crowd.counts)), use)}))

    def _hours(self, crowd: Crowd) -> Float64:
        first, last = self.known.span
        if (last - first) / HOUR_US < LEAST_HOURS:
            return np.full(len(crowd.counts), np.nan)
        hour = ((crowd.times - first) // HOUR_US).clip(0)
        fresh = np.diff(hour, prepend=-1) != 0  # times are in order within a group
        fresh[crowd.edges[:-1]] = True
        seen = np.add.reduceat(fresh, crowd.edges[:-1], dtype=np.int64)
        return np.asarray(np.minimum(1.0, np.sqrt(seen / np.ceil((last - first) / HOUR_US))), np.float64)

    def _odd(self, crowd: Crowd) -> Float64:
        """The most that naming, protocols and tasks could be."""
        flows, known = self.known.flows, self.known
        assert flows is not None
        answered = bool(known.lookups and known.lookups.answered_for)
        named = [self._naming(text, answered=answered) for text in crowd.destination.texts]
        naming = np.array([*named, 1.0])[crowd.destination.code]
        if answered:
            naming = np.maximum(naming, 0.9 * self._foreign(crowd))
        everyday = np.array([text in EVERYDAY for text in flows.app_proto.texts] + [True])
        strange = np.logical_or.reduceat(~everyday[flows.app_proto.code[crowd.rows]], crowd.row_edges[:-1])
        steady = grouped_clusters(crowd.down, crowd.edges, 0.03) >= LEAST_SHARE
        tasks = steady & (crowd.counts >= 10)
        return np.asarray(np.maximum(naming, (strange & bool(known.inventory.apps)) | tasks), np.float64)

    def _naming(self, destination: str, *, answered: bool) -> float:
        """What features.name_anomaly gives a destination at most, other names left aside."""
        if is_address(destination):
            return 0.7 if self.known.sni_seen else 0.5 * answered
        return name_entropy(label_of(destination), bits=self.limits.payload_entropy_threshold)

    def _foreign(self, crowd: Crowd) -> npt.NDArray[np.bool_]:
        """(g,) whether an address was looked up under other names only."""
        flows, lookups = self.known.flows, self.known.lookups
        assert flows is not None
        assert lookups is not None
        server = flows.server.code[crowd.rows]
        destination = np.repeat(crowd.destination.code, np.diff(crowd.row_edges))
        step = len(flows.server.texts) + 1
        pairs, place = np.unique(destination * step + server, return_inverse=True)
        ends = [(crowd.destination.texts[pair // step], flows.server.texts[pair % step]) for pair in pairs]
        names = [(name, lookups.answered_for.get(address)) for name, address in ends]
        own = np.array([found is not None and name in found for name, found in names])[place]
        any_ = np.array([found is not None for _, found in names])[place]
        starts = crowd.row_edges[:-1]
        return np.logical_or.reduceat(any_, starts) & ~np.logical_or.reduceat(own, starts)

    def _relief(self, crowd: Crowd) -> Float64:
        """What prevalence leaves at most: the group's own device and app are taken off even if not among others."""
        known, empty = self.known, (frozenset[str](), frozenset[str]())
        left = []
        for text in crowd.destination.texts:
            devices, packages = (max(len(one) - 1, 0) for one in known.neighbours.get(text, empty))
            spread = prevalence(devices, max(known.devices - 1, 0), packages if known.packages > 1 else None)
            left.append(1 - self.limits.prevalence_relief * (spread or 0.0))
        return np.array([*left, 1.0])[crowd.destination.code]


def _mean(parts: dict[str, tuple[Float64, float]]) -> Float64:
    """The weighted mean of the known (not NaN) values; 0 where nothing is known."""
    total = sum(np.where(np.isnan(value), 0.0, weight) for value, weight in parts.values())
    found = sum(np.nan_to_num(value) * weight for value, weight in parts.values())
    return np.asarray(np.divide(found, total, out=np.zeros_like(found), where=np.asarray(total) > 0), np.float64)


def _timing(crowd: Crowd, limits: PollingThresholds) -> dict[str, Float64]:
    """The three timing features; NaN below three gaps."""
    gaps, edges = grouped_gaps(crowd.times, crowd.edges)
    gaps /= 1e6
    counts = np.diff(edges)
    q05, low, middle, high = (np.maximum(part, 1e-12) for part in grouped_quantiles(gaps, edges, 0.05, 0.25, 0.5, 0.75))
    regular = 1 - np.log(high / low) / limits.beacon_interval_variance_threshold
    floor = (q05 / middle - EXPONENTIAL_FLOOR) / (1 - EXPONENTIAL_FLOOR)
    beats = gaps / np.repeat(middle, counts)
    near = (np.abs(beats - np.round(beats)) < TOLERANCE) & (beats > 0.5) & (beats < LARGEST_MULTIPLE + 0.5)
    total = np.append(0, np.cumsum(near))
    share = (total[edges[1:]] - total[edges[:-1]]) / np.maximum(counts, 1)
    mode = (share - EXPONENTIAL_SHARE) / (1 - EXPONENTIAL_SHARE)
    few = counts < 3
    values = zip(TIMING, (regular, floor, mode), strict=True)
    return {name: np.where(few, np.nan, np.clip(value, 0, 1)) for name, value in values}


def _volume(crowd: Crowd, limits: PollingThresholds) -> dict[str, Float64]:
    """Size constancy and smallness; NaN where nothing was carried."""
    shares = []
    for side in (crowd.up, crowd.down):
        share = grouped_clusters(side, crowd.edges, limits.payload_symmetry_threshold)
        shares.append(np.where(np.logical_or.reduceat(side != 0, crowd.edges[:-1]), share, np.nan))
    carried = np.logical_or.reduceat(crowd.up + crowd.down != 0, crowd.edges[:-1])
    alike = np.where(np.isnan(shares[0]), shares[1], np.where(np.isnan(shares[1]), shares[0], sum(shares) / 2))
    (middle,) = grouped_quantiles((crowd.up + crowd.down).astype(np.float64), crowd.edges, 0.5)
    small = np.clip((10 - np.log(np.maximum(middle, 1.0))) / 4, 0, 1)
    return {"size_constancy": alike, "smallness": np.where(carried, small, np.nan)}
