"""Rows by the phone they belong to: sorted once, however many phones there are."""

from __future__ import annotations

import numpy as np

from lab.behaviours import Int64


def by_device(device: Int64, devices: int) -> list[Int64]:
    """The rows of each of so many devices, ascending; rows of device -1 are nobody's.

    >>> [rows.tolist() for rows in by_device(np.array([1, -1, 0, 1]), 3)]
    [[2], [0, 3], []]
    """
    order = np.argsort(device, kind="stable")
    return np.split(order, np.searchsorted(device[order], np.arange(devices + 1)))[1:-1]
