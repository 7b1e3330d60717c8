"""Which packets are lost: runs of losses drawn from each conversation's own seed, per direction, packet by packet.

Gilbert's two states (Gilbert 1960, from memory): in the bad one everything is lost, in the good one nothing; ``burst``
packets are lost in a row on average. A packet's fate depends on its place alone, so more packets never move it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lab.network import Network
from lab.stages.seeds import Int64, mixed

Bool = npt.NDArray[np.bool_]

_SALT, _DRAW = 6, 8  # the first of the directions' salts; each packet's
_MORE = 64


def lost_first(seed: Int64, local: Bool, conversation: Int64, network: Network) -> Bool:
    """Whether each packet is lost as long as none was before, by conversation and time; seeds are a conversation's."""
    lost = np.zeros(len(local), dtype=np.bool_)
    for side in (False, True):
        mine = np.flatnonzero(local == side)
        of = conversation[mine]
        rank = np.arange(len(mine)) - np.searchsorted(of, of)
        lost[mine] = _chained(_uniform(seed[of], rank, local=side), rank == 0, network)
    return lost


class Fate:
    """The fates of one conversation's packets, asked for one after the other."""

    def __init__(self, seed: int, network: Network) -> None:
        self._seed, self._network = seed, network
        self._known: dict[bool, list[bool]] = {False: [], True: []}
        self._asked = {False: 0, True: 0}

    def __call__(self, local: bool) -> bool:  # noqa: FBT001 - a direction, as columns have it
        """Whether the next packet of that direction is lost."""
        place, known = self._asked[local], self._known[local]
        if place == len(known):
            rank = np.arange(2 * place + _MORE)
            drawn = _uniform(np.full(len(rank), self._seed, dtype=np.int64), rank, local=local)
            known = self._known[local] = _chained(drawn, rank == 0, self._network).tolist()
        self._asked[local] = place + 1
        return known[place]


def _uniform(seed: Int64, rank: Int64, *, local: bool) -> npt.NDArray[np.float64]:
    key = mixed(seed, _SALT + local).view(np.int64) + rank
    share: npt.NDArray[np.float64] = (mixed(key, _DRAW) >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return share


def _chained(drawn: npt.NDArray[np.float64], first: Bool, network: Network) -> Bool:
    """The states of the chains that begin where ``first`` is True: bad where True.

    With the same draw a bad state stays bad whenever a good one turns bad, so each draw tells the state or keeps it.
    """
    burst = max(network.burst, 1 / (1 - network.loss))  # the least that such a chain can have: no memory
    worse, stay = network.loss / (burst * (1 - network.loss)), 1 - 1 / burst
    told = first | (drawn < worse) | (drawn >= stay)
    bad = np.where(first, drawn < network.loss, drawn < worse)
    found: Bool = bad[np.maximum.accumulate(np.where(told, np.arange(len(told)), 0))]
    return found
