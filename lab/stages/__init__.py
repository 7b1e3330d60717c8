"""Stages: each file or folder here with a ``play`` plays a timeline as a recording. ``play`` finds it by name."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from detector.contract import Advance
from lab.behaviours import nearest
from lab.errors import ScenarioError
from lab.timeline import Timeline

_OWN = ("timeline", "folder", "replace", "progress")  # what every stage takes; the rest are its own wishes


def stage_names() -> list[str]:
    """The stages on disk: the files, and the folders by their ``__init__``, that define ``play``."""
    here = Path(__file__).parent
    parts = [(path.stem, path) for path in here.glob("*.py") if path.stem != "__init__"]
    parts += [(path.parent.name, path) for path in here.glob("*/__init__.py")]
    found = (name for name, path in parts if "\ndef play(" in path.read_text(encoding="utf-8"))
    return sorted(name.replace("_", "-") for name in found)


def wishes_of(stage: str) -> tuple[str, ...]:
    """The keyword options that only this stage has; LookupError names the known stages and the nearest."""
    return tuple(name for name in inspect.signature(_module(stage).play).parameters if name not in _OWN)


def plays_alone(stage: str) -> bool:
    """Whether two of its plays disturb each other: what runs in real time needs the machine to itself."""
    return bool(getattr(_module(stage), "ALONE", False))


def ready(stage: str, **wishes: object) -> None:
    """Raises what would end every play on that stage: asked once, before many of them."""
    check = getattr(_module(stage), "ready", None)
    if check:
        check(**wishes)


def plays_blocks(stage: str) -> bool:
    """Whether it can play a timeline block by block."""
    return hasattr(_module(stage), "play_blocks")


def play_blocks(stage: str, blocks: Iterable[Timeline], folder: Path, **how: Any) -> Path:
    """Plays the blocks of a timeline on a stage that can, as its ``play_blocks`` says; returns the folder."""
    played: Path = _module(stage).play_blocks(blocks, folder, **how)
    return played


def play(
    stage: str,
    timeline: Timeline,
    folder: Path,
    *,
    replace: bool = False,
    progress: Advance | None = None,
    **wishes: object,
) -> Path:
    """Plays a timeline on the stage of that name and returns the folder of its recording.

    LookupError names the known stages and the nearest; ScenarioError a wish that the stage does not have.
    """
    module = _module(stage)
    foreign = sorted(set(wishes) - set(wishes_of(stage)))
    if foreign:
        has = ", ".join(f"--{name.replace('_', '-')}" for name in wishes_of(stage)) or "none"
        words = ", ".join(f"--{name.replace('_', '-')}" for name in foreign)
        raise ScenarioError([f"stage {stage}: found {words}, which it does not have; it has {has}"])
    played: Path = module.play(timeline, folder, replace=replace, progress=progress, **wishes)
    return played


def _module(stage: str) -> ModuleType:
    known = stage_names()
    if stage not in known:
        raise LookupError(f"no stage {stage!r}; known: {', '.join(known)}{nearest(stage, known)}")
    return import_module(f"lab.stages.{stage.replace('-', '_')}")
