"""Stages: each file here plays a timeline and returns the folder of its recording. ``play`` finds it by name."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from detector.contract import Advance
from lab.behaviours import nearest
from lab.timeline import Timeline


def stage_names() -> list[str]:
    """The stages on disk: the files here that define ``play``."""
    parts = (path for path in Path(__file__).parent.glob("*.py") if path.stem != "__init__")
    found = (path for path in parts if "\ndef play(" in path.read_text(encoding="utf-8"))
    return sorted(path.stem.replace("_", "-") for path in found)


def play(
    stage: str,
    timeline: Timeline,
    folder: Path,
    *,
    real_tls: bool = False,
    replace: bool = False,
    progress: Advance | None = None,
) -> Path:
    """Plays a timeline on the stage of that name; LookupError names the known ones and the nearest."""
    known = stage_names()
    if stage not in known:
        raise LookupError(f"no stage {stage!r}; known: {', '.join(known)}{nearest(stage, known)}")
    module = import_module(f"lab.stages.{stage.replace('-', '_')}")
    played: Path = module.play(timeline, folder, real_tls=real_tls, replace=replace, progress=progress)
    return played
