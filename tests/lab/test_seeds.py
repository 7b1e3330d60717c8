"""A key has one generator, whether it is asked for alone or among many, and it is numpy's own."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from lab.seeds import KEYS_AT_ONCE, digits, generator, generators

KEYS = [(1, "x", name, nth) for name in ("a", "bytes", "") for nth in range(40)]


def by_numpy(key):
    words = np.frombuffer(hashlib.blake2b("\x1f".join(map(str, key)).encode(), digest_size=32).digest(), dtype="<u4")
    return np.random.default_rng(np.random.SeedSequence(words))


@pytest.mark.parametrize("count", [0, 1, KEYS_AT_ONCE - 1, KEYS_AT_ONCE, len(KEYS)])
def test_many_at_once_are_those_of_numpy_one_after_the_other(count):
    many = generators(KEYS[:count])
    assert [one.bit_generator.state for one in many] == [by_numpy(key).bit_generator.state for key in KEYS[:count]]


def test_a_generator_is_numpys():
    assert generator(*KEYS[0]).random(5).tolist() == by_numpy(KEYS[0]).random(5).tolist()


def test_keys_differ_and_so_do_their_generators():
    assert len({one.random() for one in generators(KEYS)}) == len(KEYS)


def test_the_parts_of_a_key_do_not_run_together():
    assert generator("ab", "c").random() != generator("a", "bc").random()


def test_digits_are_words_of_32_bits():
    found = digits(("a", 1))
    assert len(found) == 8
    assert all(0 <= word < 1 << 32 for word in found)
    assert found == digits(("a", 1)) != digits(("a", 2))
