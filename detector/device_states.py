"""What state a device was in: screen, lock, foreground app and last interaction, at any moments asked for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Int64 = npt.NDArray[np.int64]
Int8 = npt.NDArray[np.int8]
UNKNOWN = -1


@dataclass(frozen=True)
class DeviceStates:
    """Timeline of one device; row i holds from ``time[i]`` to ``time[i + 1]``. Flags are 1, 0 or UNKNOWN."""

    time: Int64
    screen_on: Int8
    locked: Int8
    foreground: Int64  # uid, UNKNOWN for launcher or nothing
    interaction: Int64  # time of the last one, UNKNOWN if never

    def rows(self, times_us: Int64) -> Int64:
        """(n,) the row holding at each moment; -1 before the first."""
        return np.searchsorted(self.time, times_us, side="right") - 1

    def locked_at(self, times_us: Int64) -> Int8:
        """(n,) 1 locked, 0 unlocked, UNKNOWN."""
        return self._at(self.locked, times_us)

    def background_at(self, times_us: Int64, uid: int | None) -> Int8:
        """(n,) 1 where the app of ``uid`` was not in the foreground of a lit, unlocked screen; without uid: no user."""
        in_use = (self.screen_on == 1) & (self.locked != 1)
        if uid is not None:
            in_use &= self.foreground == uid
        flags = np.where(self.screen_on == UNKNOWN, UNKNOWN, ~in_use).astype(np.int8)
        return self._at(flags, times_us)

    def idle_at(self, times_us: Int64, delta_s: float) -> Int8:
        """(n,) 1 where the last user interaction was more than ``delta_s`` seconds before."""
        rows = self.rows(times_us)
        last = self.interaction[np.maximum(rows, 0)]
        idle = (times_us - last > delta_s * 1e6).astype(np.int8)
        return np.where((rows < 0) | (last == UNKNOWN), UNKNOWN, idle).astype(np.int8)

    def lock_seconds(self, span_us: tuple[int, int]) -> tuple[float, float]:
        """Seconds known to be locked and unlocked within the span."""
        edges = np.clip(np.append(self.time, span_us[1]), *span_us)
        lasts = np.diff(edges).clip(0) / 1e6
        return float(lasts[self.locked == 1].sum()), float(lasts[self.locked == 0].sum())

    def _at(self, flags: Int8, times_us: Int64) -> Int8:
        rows = self.rows(times_us)
        return np.where(rows < 0, UNKNOWN, flags[np.maximum(rows, 0)]).astype(np.int8)


def states_by_device(table: pa.Table) -> dict[str, DeviceStates]:
    """The timelines of a device_state table, by device name."""
    found = {}
    for device in pc.unique(table["device"]).to_pylist():
        rows = table.filter(pc.equal(table["device"], device)).sort_by("time")
        found[device] = DeviceStates(
            time=rows["time"].to_numpy(),
            screen_on=_flags(rows["screen_on"]),
            locked=_flags(rows["locked"]),
            foreground=_whole(rows["foreground_uid"]),
            interaction=_whole(rows["last_interaction"]),
        )
    return found


def _flags(column: pa.ChunkedArray) -> Int8:
    return np.asarray(column.cast(pa.int8()).fill_null(UNKNOWN).to_numpy(), np.int8)


def _whole(column: pa.ChunkedArray) -> Int64:
    return np.asarray(column.cast(pa.int64()).fill_null(UNKNOWN).to_numpy(), np.int64)
