"""A client is heard to its end, or ended."""

import sys
import time

import pytest

from detector.fenced import Failed, Limits
from detector.foreign.heard import heard


def test_what_it_says_and_its_code_are_kept_apart():
    ended = heard(
        [sys.executable, "-c", "import sys; print('out'); sys.stderr.write('err'); sys.exit(5)"], Limits(), "it"
    )
    assert (ended.code, ended.stdout, ended.stderr) == (5, b"out\n", b"err")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import time; print('words', flush=True); time.sleep(60)", "theirs was ended: it ran longer than 3 s"),
        ("while True: print('x' * 1000)", "theirs was ended: it wrote more than 5,000 bytes"),
    ],
)
def test_one_without_end_is_ended(text, said):
    began = time.monotonic()
    with pytest.raises(Failed, match=said):
        heard([sys.executable, "-c", text], Limits(seconds=3.0, output=5000), "theirs")
    assert time.monotonic() - began < 50


def test_a_client_that_is_not_there_is_our_own_fault():
    with pytest.raises(FileNotFoundError):
        heard(["no-such-client"], Limits(), "it")
