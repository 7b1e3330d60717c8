"""A part: what one telemetry showed of who speaks to whom, small, in one order, known by the hash of its content.

A baseline is a set of parts. Nothing may be added here that two readings of one recording could tell differently: the
hash is what keeps a recording from being counted twice.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from detector.columns import NULL, Int64

DAY_US = 86_400_000_000
BLOCK_DAYS = 64
Bits = npt.NDArray[np.uint64]
#: What a habit counts: hour of day (UTC), half octaves of bytes up and down, protocol (place in ``protocols``), port.
KINDS = ("hour", "up", "down", "protocol", "port")


@dataclass(frozen=True)
class Contacted:
    """(k,) who spoke to whom: one row per (device, package, destination, block of 64 days), sorted by these."""

    device: Int64
    package: Int64  # NULL: unknown
    destination: Int64
    block: Int64  # days since the epoch, UTC, divided by BLOCK_DAYS
    days: Bits  # which days of the block
    contacts: Int64  # moments at least 2 s after the one before
    first: Int64  # first contact in the block, microseconds


@dataclass(frozen=True)
class Habits:
    """(h,) how apps speak: flows and who had them, one row per (package, kind, value), sorted by these."""

    package: Int64  # NULL: unknown
    kind: Int64  # place in KINDS
    value: Int64
    flows: Int64
    devices: Bits  # bit hash(device) % 64: as many devices as bits, or more


@dataclass(frozen=True)
class Relayed:
    """(r,) apps that relayed: one row per (device, package), sorted by these."""

    device: Int64
    package: Int64  # NULL: unknown
    strength: Int64  # thousandths; what a bridge scores by its shape alone, 1000 of a request that was granted


@dataclass(frozen=True, eq=False)
class Part:
    """What one telemetry showed; texts sorted, columns hold places in them. ``id`` is the hash of all the rest."""

    view: str
    span: tuple[int, int]
    devices: tuple[str, ...]
    packages: tuple[str, ...]
    categories: tuple[str, ...]  # of each package; "" is unknown
    destinations: tuple[str, ...]
    protocols: tuple[str, ...]
    contacted: Contacted
    habits: Habits
    relayed: Relayed
    hosts: tuple[str, ...]  # full names, of which destinations know the registrable domain only
    met: Contacted  # who spoke to which host; ``destination`` is a place in ``hosts``
    installed: tuple[tuple[str, str], ...] = ()  # (device, package) of the inventory, sorted; none: it was not told
    id: str = ""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Part) and self.id == other.id

    def __hash__(self) -> int:
        return hash(self.id)

    def named(self) -> Part:
        """The same part with its id: 32 hexadecimal digits of SHA-256."""
        digest = hashlib.sha256()
        texts = (self.devices, self.packages, self.categories, self.destinations, self.protocols, self.hosts)
        digest.update(json.dumps([self.view, self.span, *texts, self.installed]).encode())
        for table in (self.contacted, self.habits, self.relayed, self.met):
            for column in vars(table).values():
                digest.update(np.ascontiguousarray(column).astype("<i8" if column.dtype.kind == "i" else "<u8").data)
        return replace(self, id=digest.hexdigest()[:32])

    @property
    def span_days(self) -> float:
        """How long it lasts, in days of 86,400 s."""
        return (self.span[1] - self.span[0]) / DAY_US


def device_bit(device: str) -> int:
    """The bit of a device in Habits.devices: the same in every part, whoever else is in it.

    >>> 0 <= device_bit("phone-01") < 64
    True
    """
    return hashlib.blake2b(device.encode(), digest_size=1).digest()[0] % 64


def keyed(*columns: tuple[Int64, int]) -> Int64:
    """(n,) one whole number per row from several columns of codes, each with how many it has; NULL is a code too.

    Raises ValueError where the numbers would not fit (more than 2^62 combinations).

    >>> keyed((np.array([0, 1, NULL]), 2), (np.array([3, 0, 3]), 4)).tolist()
    [9, 11, 4]
    """
    key = np.zeros(len(columns[0][0]), np.int64)
    room = 1
    for column, many in columns:
        room *= many + 1
        key = key * (many + 1) + (column - NULL)
    if room >= 2**62:
        raise ValueError(f"found {room:.1e} combinations of codes, expected fewer than 2^62: learn in several parts")
    return key
