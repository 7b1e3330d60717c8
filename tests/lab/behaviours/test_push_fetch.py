"""Which hosts of a content network speak HTTP/2 is the app's, on all phones and on every day."""

import numpy as np
import pytest

from lab.behaviours import SECOND, Window
from lab.behaviours.push_fetch import HTTP2, Behaviour

NEVER = np.zeros((0, 2), dtype=np.int64)


def spoken(seed, built_in, hosts=100):
    """The protocol of each host that something is fetched from."""
    window = Window(86_400 * SECOND, NEVER, NEVER, NEVER, NEVER, NEVER, built_in=built_in)
    batch = Behaviour(hosts=hosts, pushes_per_hour=60.0).plan(np.random.default_rng(seed), window)
    pairs = sorted({*zip(batch.peer.tolist(), batch.speech.tolist(), strict=True)})
    found = {peer: batch.speeches[speech].protocol for peer, speech in pairs if peer}
    assert len(found) == len(pairs) - 1 == hosts
    return found


def test_a_host_speaks_the_same_whoever_asks_and_when():
    assert spoken(1, 77) == spoken(2, 77)
    assert spoken(1, 77) != spoken(1, 78)


def test_most_hosts_speak_http2():
    kinds = [kind for built_in in range(5) for kind in spoken(1, built_in).values()]
    assert kinds.count("http2") / len(kinds) == pytest.approx(HTTP2, abs=0.06)
