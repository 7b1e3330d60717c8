"""The hosts that a block of phones meets: rows of the cast, numbered as they are met."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from lab.behaviours import Int64
from lab.timeline import Host
from lab.world.cast import Cast


@dataclass
class Met:
    """``hosts`` in the order in which they were met, with the seconds for which their names are kept."""

    cast: Cast
    hosts: list[Host] = field(default_factory=list)
    ttls_s: list[int] = field(default_factory=list)
    _places: dict[int, int] = field(default_factory=dict)  # by row of the cast

    def place(self, row: int) -> int:
        """The number of a row of the cast."""
        found = self._places.setdefault(row, len(self.hosts))
        if found == len(self.hosts):
            self.hosts.append(self.cast.hosts[row])
            self.ttls_s.append(self.cast.ttls_s[row])
        return found

    def places(self, rows: Int64) -> Int64:
        """The numbers of several rows, met in the order of the cast; negative ones, who are nobody, stay."""
        places = {row: self.place(row) for row in sorted({*rows.tolist()}) if row >= 0}
        return np.array([places.get(row, row) for row in rows.tolist()], dtype=np.int64)
