"""What all live tests share: commands that hear Ctrl-C, wherever the tests were started from."""

from __future__ import annotations

import signal

import pytest


@pytest.fixture(scope="session", autouse=True)
def _interrupts_are_heard():
    """A suite that is a background job is told to ignore SIGINT (POSIX shells), and would hand that down to commands.

    A handler in this process is the default one in those it starts.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
    yield
    signal.signal(signal.SIGINT, before)
