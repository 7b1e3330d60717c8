"""Words for numbers: the doctests, and that nothing unknown becomes a number."""

import doctest

import pytest

from lab.report import words


def test_examples():
    result = doctest.testmod(words)
    assert result.attempted >= 8
    assert result.failed == 0


@pytest.mark.parametrize("say", [words.share, words.share_interval, words.rate, words.rate_interval, words.duration])
def test_unknown_is_said(say):
    assert say(None) == words.UNKNOWN


def test_ladder_order():
    assert sorted(["zz", "dns-only", "full", "no-app"], key=words.ladder_order) == ["full", "no-app", "dns-only", "zz"]
