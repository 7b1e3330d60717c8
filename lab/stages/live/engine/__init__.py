"""The Docker engine: reached, kept within a policy, and left as clean as it was found.

``connect`` -> ``Engine``; ``open_session`` -> ``Session``; ``ensure_images`` builds; ``sweep`` removes. Names are
looked up when used, so that without the extra ``live`` engine.py says what is missing, as PrerequisiteError.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lab.stages.live.engine.connection import connect
    from lab.stages.live.engine.debian import source_of_debian
    from lab.stages.live.engine.engine import Engine
    from lab.stages.live.engine.images import ensure_images, image_tag, images_missing, remove_old_images
    from lab.stages.live.engine.labs import Lab, find_labs
    from lab.stages.live.engine.session import Session, open_session, sessions
    from lab.stages.live.engine.sweeping import Swept, sweep

__all__ = [
    "Engine",
    "Lab",
    "Session",
    "Swept",
    "connect",
    "ensure_images",
    "find_labs",
    "image_tag",
    "images_missing",
    "open_session",
    "remove_old_images",
    "sessions",
    "source_of_debian",
    "sweep",
]
_HOMES = ("connection", "session", "engine", "debian", "images", "labs", "sweeping")


def __getattr__(name: str) -> Any:
    """A public name, from the module that has it (PEP 562)."""
    if name in __all__:
        for home in _HOMES:
            module = import_module(f"{__name__}.{home}")
            if hasattr(module, name):
                return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
