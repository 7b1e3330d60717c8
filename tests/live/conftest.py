"""What all live tests share: commands, and that they hear Ctrl-C, wherever the tests were started from."""

from __future__ import annotations

import importlib.util
import signal
from pathlib import Path
from types import ModuleType

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


@pytest.fixture(scope="session")
def commands() -> ModuleType:
    """commands.py beside this file: droidrange's commands, each within a bound."""
    spec = importlib.util.spec_from_file_location("commands", Path(__file__).with_name("commands.py"))
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
