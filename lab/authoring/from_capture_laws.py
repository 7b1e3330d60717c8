"""The law of sleep that the gaps between contacts follow, chosen by their quantiles.

Five shapes can be told apart by gaps alone: all alike, flat between two bounds, a kept phase (triangular, each gap
making up for the one before), exponential, log-normal. Of a flat one, "uniform", "cobalt-strike" and "additive" are
three names of the same gaps (lab/habits/clock.py): which is written is a guess at what makes the period a round number.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

#: Quantiles that are compared. The highest tenth is left out: a phone that dozes or is off makes gaps of its own.
LEVELS = np.arange(0.05, 0.901, 0.05)
LEAST_GAPS = 7
FIXED_WITHIN = 0.01  # of the median: network and scheduler move a contact by so much without any law
#: Correlation of neighbouring gaps: -1/2 of a kept phase, 0 of independent sleeps, give or take 1 / sqrt(n).
ECHO, ECHO_DEVIATIONS = -0.3, 1.6
#: Gaps that follow no law within LOOSE are looked at again without those beyond SILENCE and below HURRY medians.
#: What is left, at least that share, must be NARROW (its middle four fifths, in medians) and bounded, within TIGHT.
LOOSE, TIGHT, SILENCE, HURRY, LEAST_KEPT, NARROW = 0.1, 0.05, 2.0, 0.2, 0.6, 0.8
BOUNDED = ("fixed", "flat", "phase")
PHASE_WITHIN = 1.5  # a kept phase may fit so much worse than the best: its neighbours speak for it
FREE_SHAPE = 1.3  # a log-normal imitates the others: it must fit so many times better to be preferred
ROUND_S = (1, 2, 3, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240, 300, 600, 900, 1200, 1800, 2700, 3600)
ROUND_WITHIN = 0.01

_NORMAL = np.array([NormalDist().inv_cdf(float(level)) for level in LEVELS])
_TRIANGLE = np.where(LEVELS < 0.5, np.sqrt(2 * LEVELS) - 1, 1 - np.sqrt(2 * (1 - LEVELS)))  # on [-1, 1]
_MEMORYLESS = -np.log1p(-LEVELS)


@dataclass(frozen=True)
class Law:
    """A law with its settings; ``error`` is the mean distance of the quantiles, as a share of the median gap."""

    shape: str  # fixed, flat, phase, exponential, lognormal
    name: str  # of the setting ``law``
    period_s: float
    jitter: float
    sigma: float
    error: float
    why: str
    rivals: dict[str, float]  # the other shapes and their errors
    silences: int = 0  # gaps that were set aside as too long, as Doze makes them
    hurries: int = 0  # and as too short, as a task makes them

    @property
    def mean_s(self) -> float:
        """The mean sleep in seconds, by the formulas of lab/habits/clock.py."""
        factor = {"cobalt-strike": 1 - self.jitter / 2, "additive": 1 + self.jitter / 2}.get(self.name, 1.0)
        return self.period_s * (float(np.exp(self.sigma**2 / 2)) if self.name == "lognormal" else factor)

    @property
    def dispersion(self) -> float:
        """Variance of a count of contacts over its mean, at most: that of a Poisson process, more if log-normal."""
        return max(float(np.expm1(self.sigma**2)), 1.0)


def law_of(gaps_s: Floats) -> Law:
    """The law that (n,) gaps in seconds, in order of time, follow best; ValueError for fewer than LEAST_GAPS."""
    gaps = np.asarray(gaps_s, dtype=np.float64)
    if len(gaps) < LEAST_GAPS:
        raise ValueError(f"found {len(gaps)} gaps, expected at least {LEAST_GAPS}")
    whole = _fitted(gaps, tuple(_FITS))
    return whole if whole.error <= LOOSE else _undisturbed(gaps) or whole


def _undisturbed(gaps: Floats) -> Law | None:
    """The bounded law of the gaps that neither Doze nor a task made, if it fits well; None if it does not."""
    median = float(np.median(gaps))
    silent, hurried = gaps > SILENCE * median, gaps < HURRY * median
    kept = gaps[~silent & ~hurried]
    if len(kept) < max(LEAST_GAPS, LEAST_KEPT * len(gaps)):
        return None
    low, high = np.quantile(kept, [0.1, 0.9])
    law = _fitted(kept, BOUNDED)
    if high - low > NARROW * median or law.error > TIGHT:
        return None
    aside = f"{int(silent.sum())} silences and {int(hurried.sum())} gaps after a task set aside"
    return replace(law, silences=int(silent.sum()), hurries=int(hurried.sum()), why=f"{law.why}; {aside}")


def _fitted(gaps: Floats, shapes: tuple[str, ...]) -> Law:
    seen = np.quantile(gaps, LEVELS)
    median = float(np.median(gaps))
    kept = _echo(gaps) < min(ECHO, -ECHO_DEVIATIONS / len(gaps) ** 0.5)
    fits = {shape: fit(seen) for shape, fit in _FITS.items() if shape in shapes and (kept or shape != "phase")}
    errors = {shape: float(np.abs(fit - seen).mean() / median) for shape, fit in fits.items()}
    shape = _best(errors)
    made = _named(shape, seen, median, len(gaps))
    others = {name: round(error, 4) for name, error in errors.items() if name != shape}
    return Law(shape, *made[:-1], error=errors[shape], why=made[-1], rivals=others)


def _echo(gaps: Floats) -> float:
    """Correlation of neighbouring gaps, those three times the median left out."""
    kept = gaps[gaps < 3 * np.median(gaps)]
    before, after = kept[:-1], kept[1:]
    if len(before) < LEAST_GAPS or before.std() == 0 or after.std() == 0:
        return 0.0
    return float(np.corrcoef(before, after)[0, 1])


def _best(errors: dict[str, float]) -> str:
    if errors["fixed"] <= FIXED_WITHIN:
        return "fixed"
    if "phase" in errors and errors["phase"] <= PHASE_WITHIN * min(errors.values()):  # neighbours have said so already
        return "phase"
    weighed = {shape: error * (FREE_SHAPE if shape == "lognormal" else 1.0) for shape, error in errors.items()}
    return min((name for name in weighed if name != "phase"), key=lambda name: weighed[name])


def _line(of: Floats, seen: Floats) -> tuple[float, float]:
    """Least squares: the slope and the height at nought."""
    slope, height = np.polyfit(of, seen, 1)
    return float(slope), float(height)


def _straight(of: Floats) -> Callable[[Floats], Floats]:
    def fit(seen: Floats) -> Floats:
        slope, height = _line(of, seen)
        return height + slope * of

    return fit


def _mean(seen: Floats) -> float:
    return float((seen * _MEMORYLESS).sum() / (_MEMORYLESS**2).sum())


def _lognormal(seen: Floats) -> Floats:
    slope, height = _line(_NORMAL, np.log(np.maximum(seen, 1e-3)))
    return np.asarray(np.exp(height + slope * _NORMAL))


_FITS: dict[str, Callable[[Floats], Floats]] = {
    "fixed": lambda seen: np.full(len(seen), float(np.median(seen))),
    "flat": _straight(LEVELS),
    "phase": _straight(_TRIANGLE),
    "exponential": lambda seen: _mean(seen) * _MEMORYLESS,
    "lognormal": _lognormal,
}


def _named(shape: str, seen: Floats, median: float, count: int) -> tuple[str, float, float, float, str]:
    """Setting ``law``, period, jitter, sigma, and the reason in words."""
    if shape == "fixed":
        alike = float(np.abs(seen - median).mean()) <= FIXED_WITHIN * median
        told = "the gaps are alike" if alike else "most gaps are alike, and the others follow no law"
        return "fixed", median, 0.0, 0.0, told
    if shape == "exponential":
        return "exponential", _mean(seen), 0.0, 0.0, "the quantiles are those of a memoryless sleep"
    if shape == "lognormal":
        sigma, height = _line(_NORMAL, np.log(np.maximum(seen, 1e-3)))
        return "lognormal", float(np.exp(height)), 0.0, min(sigma, 3.0), "the logarithms of the gaps are normal"
    if shape == "phase":
        flex, period = _line(_TRIANGLE, seen)
        return "phase", period, min(flex / period, 1.0), 0.0, "a long gap is followed by a short one: the phase is kept"
    slope, low = _line(LEVELS, seen)
    return _flat(max(low, 0.0), low + slope, max(ROUND_WITHIN, slope / (low + slope) / count**0.5))


def _flat(low: float, high: float, within: float) -> tuple[str, float, float, float, str]:
    """The reading of gaps flat in [low, high] whose period is nearest to a round number; uniform if none is near."""
    middle, half = (low + high) / 2, (high - low) / 2
    readings = [
        ("uniform", middle, half / middle),
        ("cobalt-strike", high, (high - low) / high),
        ("additive", low, (high - low) / low if low > 0 else np.inf),
    ]
    possible = [one for one in readings if one[2] <= 1]
    name, period, jitter = min(possible, key=lambda one: _roundness(one[1]))
    told = f"flat from {low:.4g} s to {high:.4g} s"
    if _roundness(period) > within:
        return "uniform", middle, min(half / middle, 1.0), 0.0, f"{told}; no reading of it has a round period"
    return name, period, float(jitter), 0.0, f"{told}; read as {name} its period is the roundest"


def _roundness(period_s: float) -> float:
    """How far a period is from the nearest round one, as a share."""
    return min(abs(period_s / round_s - 1) for round_s in ROUND_S)
