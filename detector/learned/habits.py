"""How apps speak: hours, sizes, protocols and ports of their flows, counted with the devices that vouch for them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from detector.columns import NULL, Codes, Int64, codes, whole
from detector.learned.part import KINDS, Bits, Habits, device_bit, keyed

HOUR_US = 3_600_000_000
BITS = 64
STEPS = 2  # sizes in half octaves


def habits_of(
    flows: pa.Table, rows: Int64, device: Codes, package: Codes, packages: list[str]
) -> tuple[Habits, tuple[str, ...]]:
    """The habits in some rows of a flows table, with apps as places in ``packages``; and the protocols' names."""
    bit = np.array([device_bit(text) for text in device.texts] + [0], np.int64)[device.code]
    place = {text: k for k, text in enumerate(packages)}
    app = np.array([place.get(text, NULL) for text in package.texts] + [NULL], np.int64)[package.code]
    spoken, carried = codes(flows["app_proto"]), codes(flows["proto"])
    said = np.where(spoken.code[rows] == NULL, carried.code[rows] + len(spoken.texts), spoken.code[rows])
    protocol = Codes(said, spoken.texts + carried.texts).renamed(spoken.texts + carried.texts)
    values = {
        "hour": whole(flows["start"])[rows] // HOUR_US % 24,
        "up": size_step(whole(flows["bytes_up"], 0)[rows]),
        "down": size_step(whole(flows["bytes_down"], 0)[rows]),
        "protocol": protocol.code,
        "port": whole(flows["server_port"])[rows],
    }
    who = keyed((app, len(packages)), (bit, BITS))
    counted = [_counted(kind, values[name], who, len(packages)) for kind, name in enumerate(KINDS)]
    return _sorted(counted), tuple(protocol.texts)


def none() -> Habits:
    """No habit at all."""
    return Habits(*(np.zeros(0, np.int64) for _ in range(4)), np.zeros(0, np.uint64))


def size_step(sizes: Int64) -> Int64:
    """(n,) the half octave of each size in bytes: 0 for none, else 1 + floor(2 log2).

    >>> size_step(np.array([0, 1, 2, 1000, 1024])).tolist()
    [0, 1, 3, 20, 21]
    """
    mantissa, exponent = np.frexp(np.maximum(sizes, 0).astype(np.float64))  # mantissa in 0.5 .. 1, 0 of 0
    steps = STEPS * exponent.astype(np.int64) - (mantissa < np.sqrt(0.5))
    return np.where(mantissa > 0, steps, 0)


def _counted(kind: int, value: Int64, who: Int64, apps: int) -> Habits:
    """The flows of one kind of habit by app and value; ``who`` is keyed of app and bit."""
    many = (apps + 1) * (BITS + 1)
    cells, counts = np.unique((value - NULL) * many + who, return_counts=True)
    group, which = np.divmod(cells, BITS + 1)
    heads = np.flatnonzero(np.diff(group, prepend=-1) != 0)
    if not len(heads):
        return none()
    devices: Bits = np.bitwise_or.reduceat(np.uint64(1) << (which - 1).astype(np.uint64), heads)
    told, package = np.divmod(group[heads], apps + 1)
    flows = np.add.reduceat(counts.astype(np.int64), heads)
    return Habits(package + NULL, np.full(len(heads), kind, np.int64), told + NULL, flows, devices)


def _sorted(tables: list[Habits]) -> Habits:
    columns = [np.concatenate(column) for column in zip(*(vars(t).values() for t in tables), strict=True)]
    order = np.lexsort((columns[2], columns[1], columns[0]))
    return Habits(*(column[order] for column in columns))
