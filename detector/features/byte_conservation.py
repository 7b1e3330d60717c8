"""Whether what came in by the way left by the other flows, and back, up to one factor: a relay keeps nothing.

The factor is free between a third and three, the same for both directions: padding, compression, frames and the
handshakes a relay ends itself change it, but not the direction bytes take. Asked of whole windows, and of what the way
carried around the bursts in step with it, so that chaff between them does not count; the better one stands. Needs
flows, and exchanges to know what is around a burst. Lowered by chaff that is everywhere. Raised wrongly by VPN,
tethering and casting, and by chance where an app uploads to one peer what it loaded from others.
"""

from __future__ import annotations

import numpy as np

from detector.grouped import Float64

FACTOR = 3.0


def byte_conservation(way_in: Float64, way_out: Float64, other_in: Float64, other_out: Float64) -> Float64:
    """(w,) exp(-|ln(k / f)|) of the worse direction; 0 where one carried nothing.

    k is way_in / other_out and way_out / other_in; f is their geometric mean, held between 1/3 and 3.

    >>> columns = (np.array([100.0, 200, 100]), np.array([900.0, 1800, 900]), np.array([900.0, 900, 0]))
    >>> byte_conservation(*columns, np.array([100.0, 100, 0])).round(6).tolist()
    [1.0, 1.0, 0.0]
    """
    carried = (way_in > 0) & (way_out > 0) & (other_in > 0) & (other_out > 0)
    pairs = ((way_in, other_out), (way_out, other_in))
    forth, back = (np.log(np.maximum(way, 1.0) / np.maximum(other, 1.0)) for way, other in pairs)
    factor = np.clip((forth + back) / 2, -np.log(FACTOR), np.log(FACTOR))
    kept = np.exp(-np.maximum(np.abs(forth - factor), np.abs(back - factor)))
    return np.where(carried, kept, 0.0)
