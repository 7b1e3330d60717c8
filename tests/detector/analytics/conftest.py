"""Bridges made by hand: what comes by one long flow leaves by many, and comes back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

GATEWAY = "198.18.9.9"


@pytest.fixture
def bridge(made: Any) -> Callable[..., None]:
    """A function that adds a bridge to ``made``: ``streams`` of them ``every`` seconds to ``targets`` in turns."""

    def add(*, targets: int = 9, streams: int = 40, every: float = 40.0, factor: float = 1.0, **who: Any) -> None:
        up, down = ([base + step * k for k in range(streams)] for base, step in ((900, 10), (7000, 90)))
        carried = {"up": round(sum(down) * factor), "down": round(sum(up) * factor)}
        lasts = max(streams * every + 60, 400)
        tunnel = made.flow(0, lasts_s=lasts, server=GATEWAY, **carried, **who)
        for k in range(streams):
            start = 20 + every * k
            made.exchange(tunnel, start, up=0, down=round(up[k] * factor), delay_s=0.01)
            flow = made.flow(start + 0.2, up=up[k], down=down[k], server=f"198.18.1.{k % targets}", **who)
            made.exchange(flow, start + 0.2, up[k], down[k])
            made.exchange(tunnel, start + 0.5, up=round(down[k] * factor), down=0)

    return add
