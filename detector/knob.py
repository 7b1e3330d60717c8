"""A knob: the number of a detector's configuration that says from which score on a finding is an alert.

Part of the contract: what a detector tells so that it can be tuned, and what it gives back, a configuration in its own
form. Nothing here chooses a number or knows what is true.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True)
class Knob:
    """One threshold of one analytic, in the unit of the configuration; ``least`` and ``most`` may both be set.

    A finding of score s is an alert up to the setting s x ``scale``, unless the detector's ``deciding`` says otherwise.
    """

    name: str  # as the configuration calls it
    analytic: str
    value: float  # what it is set to
    least: float
    most: float
    scale: float = 1.0


@dataclass(frozen=True)
class Origin:
    """Where a tuned setting comes from, for configurations that keep such a note."""

    split: str  # what was played and how it was parted, in words
    date: str
    seeds: tuple[int, ...]
    budget: float  # false alarms per device-day
    device_days: float
    commit: str = ""  # of the tree that tuned, where it is known


@dataclass(frozen=True)
class Configuration:
    """A detector's settings in its own form: an argument, or the content of a file whose path is the argument."""

    detector: str  # NAME, without an argument
    argument: str = ""
    content: str | None = None
    suffix: str = ".txt"  # of that file

    def spelled(self, path: object = None) -> str:
        """What ``--detector`` is given; ``path`` is where the content was written.

        >>> Configuration("rita", "threshold=0.8").spelled(), Configuration("builtin", content="x").spelled("my.toml")
        ('rita:threshold=0.8', 'builtin:my.toml')
        """
        argument = self.argument if self.content is None else str(path)
        return f"{self.detector}:{argument}" if argument else self.detector


@runtime_checkable
class Tunable(Protocol):
    """The optional part of a Detector that makes it one that ``droidrange tune`` can set.

    Optional too: ``deciding(finding) -> float | None``, the highest setting of the finding's knob at which it is still
    an alert, None for one that no setting makes an alert. A detector without graded scores, such as a rule that fires
    or does not, gives its findings the score of the strictest setting at which it would still fire.
    """

    knobs: tuple[Knob, ...]

    def tuned(self, values: Mapping[str, float], origin: Origin) -> Configuration:
        """The present configuration with these knobs, by name, set anew; LookupError for a name that is none."""
        ...
