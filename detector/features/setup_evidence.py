"""What an app did to be a relay before or while it relayed: listened, accepted, opened raw sockets, was asked to relay.

A request to relay that was read on the wire counts 1, sessions accepted from others and listening beyond the own host
count 0.7 and 0.5. Needs sockets or inbound flows; 0 means that socket events were collected and showed nothing, NaN
that nobody looked. Raised wrongly by file and media servers, casting, debugging over Wi-Fi, torrents.
"""

from __future__ import annotations

import numpy as np

from detector.grouped import Float64


def setup_evidence(asked: Float64, accepted: Float64, listened: Float64) -> Float64:
    """(w,) the strongest of what was seen, each a 0/1 column; NaN in ``listened`` is unknown.

    >>> nan = float("nan")
    >>> setup_evidence(np.array([1.0, 0, 0]), np.array([0.0, 1, 0]), np.array([nan, nan, nan])).tolist()
    [1.0, 0.7, nan]
    """
    seen = np.maximum(np.maximum(asked, 0.7 * accepted), 0.5 * np.nan_to_num(listened, nan=0.0))
    return np.where((seen == 0) & np.isnan(listened), np.nan, seen)
