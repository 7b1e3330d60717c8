"""A part of some work, and who is told how far it is; or nobody."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from detector.contract import Advance

#: Opens a part of the work that has this name, and gives what is told how far it is.
Phase = Callable[[str], AbstractContextManager[Advance]]


def unsaid(_done: int, _total: int) -> None:
    """Tells nobody how far the work is."""


def in_silence(_name: str) -> AbstractContextManager[Advance]:
    """A part of the work of which nobody is told."""
    return nullcontext(unsaid)
