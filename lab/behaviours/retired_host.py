"""An app that goes on asking for a host of its maker that is not there any more: NXDOMAIN, each time it tries.

Law: a timer that sleeps ``period``, uniform within ``jitter`` around it; a first try that fails is made
again after ``again``, ``tries`` in all. That names of apps outlive their hosts is told by takeovers of expired domains
(Lever et al., "Domain-Z", IEEE S&P 2016; from memory); how often is our choice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lab.behaviours import SECOND, Batch, Window, setting
from lab.habits.clock import renewal
from lab.habits.draft import Draft
from lab.habits.rotation import label


@dataclass(frozen=True)
class Behaviour:
    """Settings of retired-host."""

    period: float = setting(3_600.0, unit="s", minimum=60, maximum=7 * 86_400)
    jitter: float = setting(0.2, minimum=0, maximum=1, source="a share of the period")
    hosts: int = setting(1, minimum=1, maximum=50, source="asked for each time, one after the other")
    tries: int = setting(2, minimum=1, maximum=10)
    again: float = setting(10.0, unit="s", minimum=1, maximum=600, source="until the next try, doubled each time")

    def plan(self, rng: np.random.Generator, window: Window) -> Batch:
        """A look-up per host and try; most are answered from the phone's cache, which keeps the news for minutes."""
        draft = Draft(window.span)
        begun = renewal(rng, "uniform", self.period, self.jitter, window.span)
        later = np.concatenate([[0.0], np.cumsum(self.again * 2.0 ** np.arange(self.tries - 1))])
        offsets = (later[:, None] * SECOND + np.arange(self.hosts) * SECOND // 10).astype(np.int64)
        times = begun[:, None, None] + offsets
        names = [label("hashed", window.built_in, "retired", nth) for nth in range(self.hosts)]
        draft.seek("vendor", names * (len(begun) * self.tries), times.ravel())
        return draft.batch()
