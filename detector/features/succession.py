"""Whether a new destination took over from an old one of the same app: how a vendor's move to another domain looks.

The old one falls silent for longer than its rate allows, the new one begins then, and speaks about as often. Raised
wrongly by an implant that replaces what the app did, so that the old cadence ends with its coming, and by whoever takes
over a vendor's update. Needs a learned baseline in which this device's app already was.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from detector.grouped import Float64

ABREAST: Final = 0.1  # of the new one's time: both speaking for so long is no succession
PAUSE_DAYS: Final = 0.5  # between the two that any night explains; twice that explains nothing
ALIKE: Final = 1.5  # octaves between the two rates that count as equal
UNSEEN: Final = 0.75  # what is left of a change that fell between learning and looking
UNLIKE: Final = 3.5  # and those from which the two have nothing to do with each other


def succession(
    missing: Float64, overlap: Float64, pause_days: Float64, octaves: Float64, seen: npt.NDArray[np.bool_]
) -> Float64:
    """(k,) 0..1 of pairs of an old and a new destination, each of the same device and app.

    ``missing``: contacts that the old one should have had since its last; ``overlap``: share of the new one's time
    in which the old one still spoke; ``pause_days``: from the old one's last contact to the new one's first;
    ``octaves``: between their rates, either sign; ``seen``: whether the old one spoke at all since the learning period:
    where not, nobody saw the one take over from the other, and three quarters are left.

    >>> missing, overlap = np.array([50.0, 50.0, 0.1, 50.0, 50.0]), np.array([0.0, 0.5, 0.0, 0.0, 0.0])
    >>> octaves, seen = np.array([0.2, 0.0, 0.0, -5.0, 0.0]), np.array([True, True, True, True, False])
    >>> succession(missing, overlap, np.zeros(5), octaves, seen).round(2).tolist()
    [1.0, 0.0, 0.1, 0.0, 0.75]
    """
    silent = -np.expm1(-missing)
    handed = np.clip(1 - overlap / ABREAST, 0.0, 1.0)
    soon = np.clip(2 - pause_days / PAUSE_DAYS, 0.0, 1.0)
    alike = np.clip((UNLIKE - np.abs(octaves)) / (UNLIKE - ALIKE), 0.0, 1.0)
    return np.asarray(silent * handed * soon * alike * np.where(seen, 1.0, UNSEEN))
