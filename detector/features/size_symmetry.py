"""How alike request and response are in size: commands and results are short both ways, content is not.

Needs flows; on TLS the handshake hides it (3-5 kB down, 0.6 kB up), so it is judged where it shows: in
exchanges after it, DNS and plain protocols. Raised wrongly by pings, chat and calls.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from detector.quantiles import quantiles


def size_symmetry(up: npt.NDArray[np.int64], down: npt.NDArray[np.int64]) -> float | None:
    """exp(-|ln(median up / median down)|); None where a direction carried nothing.

    >>> size_symmetry(np.full(5, 200), np.full(5, 400))
    0.5
    """
    if not len(up):
        return None
    medians = sorted(quantiles(side.astype(np.float64), 0.5)[0] for side in (up, down))
    return medians[0] / medians[1] if medians[0] > 0 else None
