"""Seeds: the generator that belongs to a key, the same over runs, machines and versions of Python.

Every draw is keyed by what it is for, so that one draw more never moves another. Many keys at once are some four times
as fast as one after the other, and give the same: numpy's SeedSequence is written out over a whole array of keys.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint32]
# numpy/random/bit_generator.pyx, after Melissa O'Neill's seed_seq (numpy NEP 19: streams of SeedSequence never change)
_START_A, _TIMES_A = 0x43B0D7E5, 0x931E8875
_START_B, _TIMES_B = 0x8B51F9DD, 0x58F38DED
_LEFT, _RIGHT = np.uint32(0xCA01F9DD), np.uint32(0x4973F715)
_HALF = np.uint32(16)
DIGITS, POOL, STATE = 8, 4, 8  # words of 32 bits: of a key, of SeedSequence's pool, of PCG64's seed
KEYS_AT_ONCE = 12  # fewer are faster one after the other


def generator(*key: object) -> np.random.Generator:
    """The generator of that key (blake2b, never ``hash``)."""
    # words as an array: SeedSequence takes four times as long for a list of integers
    words = np.frombuffer(_digest(key), dtype="<u4").astype(np.uint32)
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(words)))


def generators(keys: Iterable[tuple[object, ...]]) -> list[np.random.Generator]:
    """What ``generator`` gives for each of the keys."""
    keys = list(keys)
    if len(keys) < KEYS_AT_ONCE:
        return [generator(*key) for key in keys]
    digests = np.frombuffer(b"".join(map(_digest, keys)), dtype="<u4").astype(np.uint32)
    states = _states(digests.reshape(-1, DIGITS).T)
    # numpy takes any ISeedSequence, its stubs only SeedSequence
    return [np.random.Generator(np.random.PCG64(_Seeded(state))) for state in states]  # type: ignore[arg-type]


def digits(key: tuple[object, ...]) -> list[int]:
    """Eight numbers of 32 bits that depend on the key alone."""
    return list(struct.unpack("<8I", _digest(key)))


def _digest(key: tuple[object, ...]) -> bytes:
    return hashlib.blake2b("\x1f".join(map(str, key)).encode(), digest_size=4 * DIGITS).digest()


class _Seeded(np.random.bit_generator.ISeedSequence):
    """A seed that is known already: the words that a bit generator asks of it."""

    def __init__(self, state: npt.NDArray[np.uint64]) -> None:
        self.state = state

    def generate_state(self, *_: object) -> npt.NDArray[np.uint64]:
        """What PCG64 asks for, four words of 64 bits; nobody asks for others."""
        return self.state


def _states(entropy: Words) -> npt.NDArray[np.uint64]:
    """(n, 4) the seeds of PCG64 that SeedSequence draws from n keys, given as (8, n)."""
    a = _constants(_START_A, _TIMES_A, POOL + POOL * (POOL - 1) + POOL * (DIGITS - POOL) + 1)
    pool = _hashed(entropy[:POOL], a[:POOL], a[1 : POOL + 1])
    at = POOL
    for source in range(DIGITS):
        others = [row for row in range(POOL) if row != source]
        word = pool[source] if source < POOL else entropy[source]
        count = len(others)
        mixed = _LEFT * pool[others] - _RIGHT * _hashed(word, a[at : at + count], a[at + 1 : at + 1 + count])
        pool[others] = mixed ^ (mixed >> _HALF)
        at += count
    b = _constants(_START_B, _TIMES_B, STATE + 1)
    words = _hashed(pool[np.arange(STATE) % POOL], b[:-1], b[1:])
    return np.ascontiguousarray(words.T).astype("<u4").view("<u8").astype(np.uint64)


def _constants(first: int, times: int, count: int) -> Words:
    """(count, 1) the multipliers of SeedSequence's hash, one for each time that it is used."""
    found = [first]
    while len(found) < count:
        found.append(found[-1] * times % (1 << 32))
    return np.array(found, dtype=np.uint32)[:, np.newaxis]


def _hashed(words: Words, before: Words, after: Words) -> Words:
    found: Words = (words ^ before) * after
    return found ^ (found >> _HALF)
