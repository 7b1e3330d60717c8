"""An attempt: whatever becomes of an action is a value, with a status and a reason that a trial can have."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from lab.errors import ScenarioError, Unsupported

REASON_AT_MOST = 500  # characters
T = TypeVar("T")


@dataclass(frozen=True)
class Ended(Generic[T]):
    """How an attempt ended: with a value (scored), or with the status and reason for which there is none."""

    status: str
    reason: str
    value: T | None


def attempt(action: Callable[[], T]) -> Ended[T]:
    """What became of an action. The only place where any exception at all becomes the status of a trial."""
    try:
        return Ended("scored", "", action())
    except Unsupported as fault:
        return Ended("unsupported", short(str(fault)), None)
    except ScenarioError:
        raise
    except Exception as fault:  # noqa: BLE001 - a foreign detector may raise anything, and its trial must not vanish
        last = traceback.extract_tb(fault.__traceback__)[-1]
        where = f"{Path(last.filename).name}, line {last.lineno}, in {last.name}"
        return Ended("failed", short(f"{type(fault).__name__}: {fault} ({where})"), None)


def short(text: str) -> str:
    """The text, cut where it is longer than a reason may be."""
    return text if len(text) <= REASON_AT_MOST else text[: REASON_AT_MOST - 3] + "..."
