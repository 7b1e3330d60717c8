"""Which rows of a log are between the same two endpoints in the same protocol, whichever of them is called client."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from detector.columns import Int64, codes, whole


def pairs(rows: pa.Table) -> tuple[Int64, npt.NDArray[np.bool_]]:
    """(n,) the pair of endpoints (client, server, their ports, proto) of each row; whether its client is the lesser.

    >>> ends = {"client": ["a", "b", "a"], "server": ["b", "a", "b"], "proto": ["udp"] * 3}
    >>> pair, low = pairs(pa.table(ends | {"client_port": [9, 53, 8], "server_port": [53, 9, 53]}))
    >>> (pair == pair[0]).tolist(), low.tolist()
    ([True, True, False], [True, False, True])
    """
    client, server, proto = (codes(rows[name]) for name in ("client", "server", "proto"))
    texts = sorted({*client.texts, *server.texts})
    place = {text: k for k, text in enumerate(texts)}
    ends = [np.array([place[text] for text in one.texts] + [len(texts)])[one.code] for one in (client, server)]
    near = ends[0] << 16 | whole(rows["client_port"], 0)
    far = ends[1] << 16 | whole(rows["server_port"], 0)
    _, one = np.unique(np.minimum(near, far), return_inverse=True)
    _, other = np.unique(np.maximum(near, far), return_inverse=True)
    return (one * (int(other.max(initial=0)) + 1) + other) * (len(proto.texts) + 1) + proto.code, near <= far
