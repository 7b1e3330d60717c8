"""How alike two recordings of one thing are to the bundled analytics: value by value, and verdict by verdict.

Law: it holds what was measured against stated tolerances and forgives nothing else; a group that only one of the two
shows differs. It knows neither stages nor scenarios, nor who is right.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from detector.measures import Measured, Value

INTERVALS, SIZES, EXACT = 0.02, 0.10, 0.0  # issue 3 of this project: intervals 2 %, sizes 10 %
#: What a value depends on decides its tolerance. What depends on times and sizes has the wider one.
TOLERANCES: Mapping[str, float] = {
    **dict.fromkeys(("contacts", "gap_s_q25", "gap_s_median", "gap_s_q75", "contact_rate"), INTERVALS),
    **dict.fromkeys(("interval_regularity", "gap_floor", "mode_share", "hour_coverage"), INTERVALS),
    **dict.fromkeys(("contact_spread", "night_coverage"), INTERVALS),
    **dict.fromkeys(("background_use", "lock_independence", "lock_preference", "idle_share"), INTERVALS),
    **dict.fromkeys(("background_share", "unattended_share", "sustained"), INTERVALS),
    **dict.fromkeys(("per_day", "usual_per_day", "surge", "own_places", "succession"), INTERVALS),
    **{f"{side}_bytes_{word}": SIZES for side in ("up", "down") for word in ("q25", "median", "q75", "sum")},
    **dict.fromkeys(("way_in_bytes", "way_out_bytes", "byte_conservation"), SIZES),
    **dict.fromkeys(("size_constancy", "constancy_up", "constancy_down", "smallness", "size_symmetry"), SIZES),
    **dict.fromkeys(("task_mixture", "bridge_correlation", "pairing_lift"), SIZES),
    **dict.fromkeys(("name_anomaly", "dns_tunnel", "protocol_role", "prevalence"), EXACT),
    **dict.fromkeys(("no_sni", "never_resolved", "other_name", "fronted", "name_entropy", "stack_first_use"), EXACT),
    **dict.fromkeys(("gate", "own_days", "own_app", "app_share", "app_devices", "category_share"), EXACT),
    **dict.fromkeys(
        ("fleet_share", "fleet_new", "fleet", "baseline", "explained", "elsewhere", "adoption", "known_domain"), EXACT
    ),
    **dict.fromkeys(("proxy_requests", "granted", "onward_legs", "destinations", "stacks", "streams"), EXACT),
    "setup_evidence": EXACT,
}
#: Values that count something. They and bytes and seconds differ by parts of themselves, shares by parts of 0 to 1.
COUNTS = frozenset(
    (
        *("contacts", "per_day", "usual_per_day"),
        *("proxy_requests", "granted", "onward_legs", "destinations", "stacks", "streams"),
    )
)
#: Two scores that near are one: a byte more in some exchange does as much. Where the threshold lies between them, one
#: alerts by chance; the page tells both scores.
ONE_SCORE = 0.001
ROUNDING = 1e-9


@dataclass(frozen=True)
class Compared:
    """One value on both sides; ``difference`` is a fraction of the larger, or of the scale where it is a share."""

    feature: str
    one: Value
    other: Value
    difference: float | None  # None: only one side knows it
    tolerance: float

    @property
    def within(self) -> bool:
        """Whether both are the same within the tolerance; unknown on both sides is."""
        if self.difference is None:
            return self.one is None and self.other is None
        return self.difference <= self.tolerance + ROUNDING


@dataclass(frozen=True)
class Pair:
    """One group on both sides, None where it is not seen."""

    one: Measured | None
    other: Measured | None
    values: tuple[Compared, ...]

    @property
    def shown(self) -> Measured:
        """The side that there is, the first where both are."""
        there = self.one or self.other
        assert there is not None
        return there

    @property
    def same_verdict(self) -> bool:
        """Whether both alert, or neither, or their scores are one: a group not seen alerts nobody."""
        if self.one is not None and self.other is not None and abs(self.one.score - self.other.score) < ONE_SCORE:
            return True
        return (self.one is not None and self.one.alert) == (self.other is not None and self.other.alert)

    @property
    def within(self) -> bool:
        """Whether it is seen on both sides with the same verdict and every value within its tolerance."""
        return None not in (self.one, self.other) and self.same_verdict and not self.outside

    @property
    def outside(self) -> tuple[Compared, ...]:
        """The values that are not."""
        return tuple(value for value in self.values if not value.within)


def compared(one: Iterable[Measured], other: Iterable[Measured]) -> list[Pair]:
    """Both sides' groups, matched by key, in the order of keys; those with windows over the worst one of ``one``."""
    left, right = ({group.key: group for group in side} for side in (one, other))
    return [_pair(left.get(key), right.get(key)) for key in sorted({*left, *right})]


def _pair(one: Measured | None, other: Measured | None) -> Pair:
    if one is None or other is None:
        return Pair(one, other, ())
    window = other.window if one.window is None else one.window
    left, right = _over(one, window), _over(other, window)
    names = [*left, *(name for name in right if name not in left)]
    return Pair(one, other, tuple(compare(name, left.get(name), right.get(name)) for name in names))


def _over(group: Measured, window: int | None) -> Mapping[str, Value]:
    """The values over that window, unknown where it was not judged; without a window all values."""
    if window is None or group.window is None or window == group.window:
        return group.values
    known = group.windows.get(window, {})
    return {
        name: known.get(name) if name in group.windows[group.window] else value for name, value in group.values.items()
    }


def compare(feature: str, one: Value, other: Value) -> Compared:
    """One value on both sides; LookupError for a feature without a tolerance.

    >>> compare("gap_s_median", 60.0, 61.0).within, compare("gap_s_median", 60.0, 62.0).within
    (True, False)
    >>> compare("mode_share", 0.001, 0.002).within
    True
    """
    tolerance = TOLERANCES[feature]
    if one is None or other is None:
        return Compared(feature, one, other, None, tolerance)
    plain = feature in COUNTS or "_bytes" in feature or feature.startswith("gap_s_")
    scale = max(abs(one), abs(other)) if plain else 1.0
    return Compared(feature, one, other, abs(one - other) / scale if scale else 0.0, tolerance)


def differences(pairs: Iterable[Pair]) -> Iterator[tuple[Pair, Compared | None]]:
    """What is not the same: each value outside its tolerance; None for a group or verdict that only one side has."""
    for pair in pairs:
        yield from ((pair, value) for value in pair.outside)
        if not pair.within and not pair.outside:
            yield pair, None
