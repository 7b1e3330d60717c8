"""When a group was in contact at all: hours of the day, lock and Doze, as far as the capture shows them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from detector.contract import Telemetry

Int64 = npt.NDArray[np.int64]
HOUR_US = 3_600_000_000
LEAST_SPAN_H = 36  # from first to last contact: of one day nobody can tell its night from an accident
LEAST_CLOSED_H = 4
MISSED = 6.0  # contacts that would have fallen into the closed hours: e**-6 is the chance of none by accident
NEARLY_ALL, NOT_MOST = 0.95, 0.85  # of the contacts; of the time
LEAST_CONTACTS = 10
DOZED = 0.05  # of the time, from which on Doze can be judged


@dataclass(frozen=True)
class Opening:
    """When it may be in contact. ``doze`` says whether it was in contact in Doze, None where nobody can tell."""

    from_hour: float  # UTC
    until_hour: float
    gate: str  # always, locked, unlocked
    state_known: bool
    doze: bool | None

    @property
    def share(self) -> float:
        """Of the day, what its hours leave open."""
        return ((self.until_hour - self.from_hour) % 24.0 or 24.0) / 24.0


def opening_of(telemetry: Telemetry, device: str, times: Int64, period_s: float) -> Opening:
    """The opening of (n,) contacts, microseconds, of that device."""
    gate, known, doze = _state(telemetry, device, times)
    return Opening(*hours_of(times, period_s), gate, known, doze)


def hours_of(times: Int64, period_s: float) -> tuple[float, float]:
    """The hours of the day (UTC) from and until which there are contacts; 0 and 24 where they keep none.

    ``times`` ascend and are at least one; what the capture lasts before and behind them proves nothing.
    """
    span_h = int(times[-1] - times[0]) / HOUR_US
    seen = np.bincount(times // HOUR_US % 24, minlength=24) > 0
    if span_h < LEAST_SPAN_H or seen.all() or not seen.any():
        return 0.0, 24.0
    runs = [(begin, _dark(seen, begin)) for begin in range(24)]
    begin, length = max(runs, key=lambda run: run[1])
    if length < LEAST_CLOSED_H or length * 3600 / period_s * (span_h / 24) < MISSED:
        return 0.0, 24.0
    return float((begin + length) % 24), float(begin or 24)


def _dark(seen: npt.NDArray[np.bool_], begin: int) -> int:
    """How many hours from ``begin`` on are without a contact."""
    turned = np.roll(seen, -begin)
    return int(np.argmax(turned))


def _state(telemetry: Telemetry, device: str, times: Int64) -> tuple[str, bool, bool | None]:
    """The gate, whether there is a state to judge it by, and whether Doze holds it."""
    if "device_state" not in telemetry:
        return "always", False, None
    table = telemetry["device_state"]
    table = table.filter(pc.equal(table["device"], device)).sort_by("time")
    if not table.num_rows or len(times) < LEAST_CONTACTS:
        return "always", False, None
    begins = np.asarray(table["time"].to_numpy(), dtype=np.int64)
    lasts = np.maximum(np.diff(np.append(begins, max(telemetry.span[1], int(begins[-1])))), 0)
    at = np.maximum(np.searchsorted(begins, times, side="right") - 1, 0)
    locked = np.asarray(pc.fill_null(table["locked"], fill_value=False).to_numpy(zero_copy_only=False), dtype=np.bool_)
    dozing = np.array([str(one).startswith("doze") for one in table["power_state"].to_pylist()], dtype=np.bool_)
    time_locked, said_locked = _share(locked, lasts), float(locked[at].mean())
    time_dozing, said_dozing = _share(dozing, lasts), float(dozing[at].mean())
    doze = None if time_dozing < DOZED else said_dozing > time_dozing / 2
    if said_locked >= NEARLY_ALL and time_locked <= NOT_MOST:
        return "locked", True, doze
    if said_locked <= 1 - NEARLY_ALL and time_locked >= 1 - NOT_MOST:
        return "unlocked", True, doze
    return "always", True, doze


def _share(flags: npt.NDArray[np.bool_], lasts: Int64) -> float:
    return float(lasts[flags].sum() / max(int(lasts.sum()), 1))
