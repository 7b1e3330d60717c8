"""What is drawn from a conversation's own seed: numbers in bulk, and its random generator at a tenth of the usual cost.

numpy's SeedSequence hashes each seed for some 10 us, longer than a short conversation takes to say. Splitmix64 (Steele,
Lea and Flood 2014), which was made to seed other generators, does it for all conversations at once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.random.bit_generator import ISeedSequence

Int64 = npt.NDArray[np.int64]
UInt64 = npt.NDArray[np.uint64]

_GOLDEN = 0x9E3779B97F4A7C15
_WORDS = 3  # of SFC64's state that a seed sequence gives
_SALT = 16  # the first of the generators' salts; below are those of single numbers


def mixed(seed: Int64, salt: int) -> UInt64:
    """A 64-bit number of each seed: the ``salt``-th output of a splitmix64 that starts at it."""
    value = seed.astype(np.uint64) + np.uint64((salt * _GOLDEN) & 0xFFFFFFFFFFFFFFFF)
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


def states_of(seed: Int64) -> UInt64:
    """(n, 3) what ``generator`` starts from, for each of n seeds."""
    return np.stack([mixed(seed, _SALT + word) for word in range(_WORDS)], axis=1)


def generator(state: UInt64) -> np.random.Generator:
    """The generator of one row of ``states_of``."""
    given = _Given(state)
    return np.random.Generator(np.random.SFC64(given))  # type: ignore[arg-type]  # numpy takes any ISeedSequence


class _Given(ISeedSequence):
    """A seed sequence of words already made."""

    def __init__(self, words: UInt64) -> None:
        self.words = words

    def generate_state(self, n_words: int, dtype: Any = np.uint32) -> UInt64:  # noqa: ARG002 - SFC64 asks for uint64
        """The words; ValueError if another generator wants another number of them."""
        if n_words != len(self.words):
            raise ValueError(f"found {len(self.words)} words of state, expected {n_words}")
        return self.words
