"""A user's own class: ``python:MODULE:CLASS``, run in a closed subprocess that sees the telemetry and nothing else.

MODULE is a dotted name, importable from the working folder, or the path of a file; CLASS implements Detector
(detector/contract.py) and is made without arguments, or with the numbers behind ``?`` (``mine.py:Mine?least=9``).
What raises it wrongly is its author's to say. The version is the class's own and eight digits of its sources' SHA-256.
"""

from __future__ import annotations

from detector.contract import Detector, Knob
from detector.foreign.module_place import placed
from detector.foreign.user_class import UserClass, described
from detector.rule_settings import settings_of

ARGUMENT = "MODULE:CLASS"


def create(argument: str) -> Detector:
    """The class in the module; LookupError where there is none or it is no detector, Failed where it cannot be made."""
    path, settings = settings_of(argument)
    module, _, name = path.rpartition(":")
    if not (module and name):
        raise LookupError(f"detector python: found '{argument}', expected python:MODULE:CLASS")
    try:
        place = placed(module)
        digest = place.digest()
        told = described(place, name, tuple(sorted(settings.items())), digest)
    except LookupError as fault:
        raise LookupError(f"detector python: {fault}") from None
    version = f"{told['version']}+{digest}"
    knobs = tuple(Knob(**each) for each in told["knobs"])
    return UserClass(f"python:{argument}", version, tuple(told["needs"]), place, name, settings, told["judges"], knobs)
