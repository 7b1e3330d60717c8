"""The states of all devices at once: lock, foreground and last interaction at any moments of any devices.

What device_states tells of one device, for moments of many. A device without a row is UNKNOWN throughout.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from detector.columns import NULL, Codes, Int64, codes, whole
from detector.grouped import Float64

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class FleetStates:
    """s rows in the order of device and time; each holds until its device's next. Flags are 1, 0 or NULL."""

    device: Codes
    time: Int64
    screen_on: Int64
    locked: Int64
    foreground: Int64
    interaction: Int64

    @classmethod
    def read(cls, table: pa.Table) -> FleetStates:
        """The rows of a device_state table."""
        table = table.take(pc.sort_indices(table, [("device", "ascending"), ("time", "ascending")]))
        device, time = codes(table["device"]), whole(table["time"])
        order = np.lexsort((time, device.code))
        flags = (whole(table[name])[order] for name in ("screen_on", "locked", "foreground_uid", "last_interaction"))
        return cls(Codes(device.code[order], device.texts), time[order], *flags)

    def numbers(self, device: Codes) -> Int64:
        """The numbers here of devices told by other codes; NULL for those without a state."""
        places = {text: k for k, text in enumerate(self.device.texts)}
        table = np.array([*(places.get(text, NULL) for text in device.texts), NULL], np.int64)
        return table[device.code]

    def rows(self, device: Int64, times: Int64) -> Int64:
        """(n,) the row holding at each moment of each device (by number here); NULL before its first."""
        if not len(self.time):
            return np.full(len(times), NULL, np.int64)
        first = int(self.time.min())
        step = int(self.time.max()) - first + 3
        keys = self.device.code * step + self.time - first + 1
        row = np.searchsorted(keys, device * step + np.clip(times - first + 1, 0, step - 1), side="right") - 1
        return np.where((row >= 0) & (self.device.code[row] == device), row, NULL)

    def locked_at(self, rows: Int64) -> Int64:
        """(n,) 1 locked, 0 unlocked, NULL, in the rows that hold."""
        return np.append(self.locked, NULL)[rows]

    def background_at(self, rows: Int64, uid: Int64) -> Int64:
        """(n,) 1 where the app was not in the foreground of a lit, unlocked screen; without uid: nobody used it."""
        in_use = (self.screen_on == 1) & (self.locked != 1)
        there = np.append(in_use, False)[rows] & ((uid == NULL) | (np.append(self.foreground, NULL)[rows] == uid))
        return np.where(np.append(self.screen_on, NULL)[rows] == NULL, NULL, ~there)

    def idle_at(self, rows: Int64, times: Int64, delta_s: float) -> Int64:
        """(n,) 1 where the last user interaction was more than ``delta_s`` seconds before."""
        last = np.append(self.interaction, NULL)[rows]
        return np.where(last == NULL, NULL, times - last > delta_s * 1e6)

    def lock_seconds(self, device: Int64, first: int, until: Int64) -> tuple[Float64, Float64]:
        """(g,) seconds known to be locked and unlocked from ``first`` to ``until`` of each device."""
        time = np.maximum(self.time, first)
        lasts = np.append(np.diff(time), 0) * (np.append(self.device.code[1:], NULL) == self.device.code)
        row = self.rows(device, until)
        head = np.searchsorted(self.device.code, device)
        known = row != NULL
        found = []
        for flag in (1, 0):
            total = np.append(0, np.cumsum(np.where(self.locked == flag, lasts, 0)))
            since = np.maximum(until - np.append(time, 0)[row], 0) * (np.append(self.locked, NULL)[row] == flag)
            found.append(np.where(known, total[row] - total[np.minimum(head, len(self.time))] + since, 0) / 1e6)
        return found[0], found[1]
