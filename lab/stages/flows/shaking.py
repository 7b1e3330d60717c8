"""What TLS says on its own account: the flights of handshakes, and the client's closing alert."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lab.stages.causality import TURN_US
from lab.stages.flows.lanes import Walk
from lab.stages.flows.parts import PARTED, SHAKING, Part, Scene, add, columns
from lab.stages.seeds import mixed

Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

SERVER_CRYPTO_US, CLIENT_CRYPTO_US = (400, 2_600), (1_000, 7_000)  # least and spread, as lab/protocols/tls.py
_CRYPTO = 8  # salt
NEVER = 1 << 62


def handshakes(scene: Scene) -> Part | None:
    """The four flights of TLS; the client goes on behind its Finished, or behind the server's last flight.

    A Finished of TLS 1.3 that ``waits`` leaves with the first request.
    """
    flight = scene.ways.flight
    rows = np.flatnonzero(flight >= 0)
    if not len(rows):
        return None
    sizes = np.array([one.sizes for one in scene.ways.flights], dtype=np.int64)[flight[rows]]
    sizes[:, 1] += scene.ways.chain[rows]
    modern = np.array([one.at_once for one in scene.ways.flights], dtype=np.bool_)[flight[rows]]
    waits = np.array([one.waits for one in scene.ways.flights], dtype=np.bool_)[flight[rows]]
    draw = mixed(scene.seed[rows], _CRYPTO).astype(np.uint64)
    server = SERVER_CRYPTO_US[0] + (draw % np.uint64(SERVER_CRYPTO_US[1])).astype(np.int64)
    client = server + CLIENT_CRYPTO_US[0] + (draw >> np.uint64(32)).astype(np.int64) % CLIENT_CRYPTO_US[1]
    lanes = scene.lanes.take(rows)
    walk = Walk.begun(lanes, opened=True)
    made = columns()
    speaks = _speaks(scene)[rows]
    held = np.where(waits & modern & (speaks < NEVER), speaks - (scene.start[rows] + lanes.rtt + TURN_US), 0)
    client = np.maximum(client, held)
    at_once = modern & (_client_first(scene)[rows] | (held > 0))
    ready = None
    for at, (due, by_client) in enumerate(((server * 0, True), (server, False), (client, True), (client, False))):
        size = sizes[:, at]
        packets = -(-size // lanes.mss)
        begin, end = walk.client_says(due, packets) if by_client else walk.server_says(due, packets, pushed=False)
        add(made, at, by_client=by_client, begin=begin, end=end, size=size, plain=size * 0, packets=packets)
        ready = walk.ready if at == 2 else ready
    assert ready is not None
    return Part(rows, np.full(len(rows), SHAKING), made, np.where(at_once, ready, walk.ready))


def _client_first(scene: Scene) -> Bool:
    """Whose client speaks as soon as it may: a set-up of its own, or an exchange at once."""
    at_once = _speaks(scene) - scene.start <= SERVER_CRYPTO_US[0] + CLIENT_CRYPTO_US[0] + 4_000
    setup = [None if not one.setup else one.setup[0].from_client for one in scene.ways.scripts]
    begins = np.array([one is True for one in setup], dtype=np.bool_)[scene.ways.script]
    waits = np.array([one is False for one in setup], dtype=np.bool_)[scene.ways.script]
    return (begins | at_once) & ~waits


def _speaks(scene: Scene) -> Int64:
    """When each client has its first word to say; NEVER: not at all."""
    first = np.full(len(scene.start), NEVER, dtype=np.int64)
    asking = np.flatnonzero(scene.x.up > 0)[::-1]
    first[scene.x.conversation[asking]] = scene.x.time[asking]
    return first


def goodbyes(scene: Scene) -> Part | None:
    """The client's closing alert."""
    flight = scene.ways.flight
    rows = np.flatnonzero(flight >= 0)
    if not len(rows):
        return None
    size = np.array([one.goodbye for one in scene.ways.flights], dtype=np.int64)[flight[rows]]
    made, zero = columns(), np.zeros(len(rows), dtype=np.int64)
    add(made, 0, by_client=True, begin=zero, end=zero, size=size, plain=zero, packets=zero + 1)
    return Part(rows, np.full(len(rows), PARTED), made, zero)
