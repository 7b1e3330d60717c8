"""Whose line a failure is: the file of lab/behaviours/ or lab/protocols/ that an exception came through."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from traceback import extract_tb

import numpy as np

from lab.behaviours import Batch, BehaviourKind, Window
from lab.errors import ScenarioError

AUTHORED = (("lab", "behaviours"), ("lab", "protocols"))  # one new file each: the author's, not the laboratory's


def plan_of(behaviour: BehaviourKind, rng: np.random.Generator, window: Window) -> Batch:
    """The batch that a behaviour plans; ScenarioError with file and line if its file raises, or gives no Batch."""
    try:
        batch: object = behaviour.plan(rng, window)
    except (ScenarioError, MemoryError):
        raise
    except Exception as wrong:  # whatever an author's file may raise
        raise ScenarioError([told(wrong)]) from wrong
    if not isinstance(batch, Batch):
        place = "/".join(type(behaviour).__module__.split("."))
        raise ScenarioError([f"{place}.py: plan: found {type(batch).__name__}, expected a Batch"])
    return batch


def placed(place: str, faults: Iterable[str]) -> list[str]:
    """The faults with the file they are in; those of a behaviour's own file have theirs, whoever uses it."""
    own = tuple(f"{'/'.join(folder)}/" for folder in AUTHORED)
    return [fault if fault.startswith(own) else f"{place}: {fault}" for fault in faults]


def told(wrong: Exception) -> str:
    """Where it happened, in the author's file if it came through one, and what."""
    return f"{authored(wrong) or _last(wrong)}: {type(wrong).__name__}: {_words(wrong)}"


def authored(wrong: Exception) -> str:
    """File and line of the author's that an exception came through last, or nothing."""
    if isinstance(wrong, SyntaxError) and wrong.filename and _is_authored(wrong.filename):
        return _place(wrong.filename, wrong.lineno)
    mine = [frame for frame in extract_tb(wrong.__traceback__) if _is_authored(frame.filename)]
    return _place(mine[-1].filename, mine[-1].lineno) if mine else ""


def _is_authored(file: str) -> bool:
    path = Path(file)
    return path.parts[-3:-1] in AUTHORED and path.name != "__init__.py"


def _place(file: str, line: int | None) -> str:
    return f"{'/'.join(Path(file).parts[-3:])}, line {line}"


def _last(wrong: Exception) -> str:
    frames = extract_tb(wrong.__traceback__)
    return _place(frames[-1].filename, frames[-1].lineno) if frames else "nowhere"


def _words(wrong: Exception) -> str:
    return wrong.msg if isinstance(wrong, SyntaxError) else str(wrong) or "without a word"
