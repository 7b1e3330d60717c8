"""The kinds of behaviour there are: the files of lab/behaviours/, found by name, loaded when asked for."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from lab.behaviours import nearest


def behaviour_names() -> list[str]:
    """The kinds of behaviour: the files of lab/behaviours/, ``http_poll.py`` being ``http-poll``."""
    return sorted(path.stem.replace("_", "-") for path in (Path(__file__).parent / "behaviours").glob("[a-z]*.py"))


def behaviour_class(kind: str) -> type[Any]:
    """The settings class of that kind; LookupError names the known kinds and the nearest."""
    known = behaviour_names()
    if kind not in known:
        raise LookupError(f"unknown kind '{kind}'; known are {', '.join(known)}{nearest(kind, known)}")
    found: type[Any] = import_module(f"lab.behaviours.{kind.replace('-', '_')}").Behaviour
    return found
