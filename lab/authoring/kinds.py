"""The kinds of behaviour and the protocols there are: the files of their folders, found by name, loaded when asked."""

from __future__ import annotations

import re
from dataclasses import is_dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from lab.authoring.blame import told
from lab.behaviours import nearest
from lab.errors import ScenarioError

BEHAVIOURS, PROTOCOLS = (Path(__file__).parents[1] / folder for folder in ("behaviours", "protocols"))
_KIND = re.compile(r"[a-z][a-z0-9-]*")


def behaviour_names() -> list[str]:
    """The kinds of behaviour: the files of lab/behaviours/, ``http_poll.py`` being ``http-poll``."""
    return sorted(path.stem.replace("_", "-") for path in BEHAVIOURS.glob("[a-z]*.py"))


def protocol_names() -> list[str]:
    """The protocols that a speech may name: the files of lab/protocols/ that say a TRANSPORT."""
    found = (path for path in PROTOCOLS.glob("[a-z]*.py") if "\nTRANSPORT" in path.read_text(encoding="utf-8"))
    return sorted(path.stem for path in found)


def behaviour_class(kind: str) -> type[Any]:
    """The settings class of that kind; LookupError names the known kinds and the nearest.

    ScenarioError, with file and line, if the file cannot be loaded or defines no dataclass ``Behaviour``.
    """
    stem = kind.replace("-", "_")
    if not _KIND.fullmatch(kind) or not (BEHAVIOURS / f"{stem}.py").is_file():
        known = behaviour_names()
        raise LookupError(f"unknown kind '{kind}'; known are {', '.join(known)}{nearest(kind, known)}")
    found: type[Any] | None = getattr(_imported(f"lab.behaviours.{stem}"), "Behaviour", None)
    if not (isinstance(found, type) and is_dataclass(found)):
        raise ScenarioError([f"lab/behaviours/{stem}.py: found no dataclass named Behaviour"])
    return found


def protocol_module(name: str) -> ModuleType:
    """The module of that protocol; LookupError names the known ones and the nearest."""
    known = protocol_names()
    if name not in known:
        raise LookupError(f"unknown protocol '{name}'; known are {', '.join(known)}{nearest(name, known)}")
    return _imported(f"lab.protocols.{name}")


def _imported(module: str) -> ModuleType:
    try:
        return import_module(module)
    except Exception as wrong:  # whatever an author's file may raise
        raise ScenarioError([told(wrong)]) from wrong
