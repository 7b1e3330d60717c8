"""A rival's bar as a knob: ``threshold=T`` in its argument, before ``gate``, says from which raw score on it alerts.

T is in the formula's own unit (percent as a share, signs that hold, ...). Half of it is reported as a near miss. The
published bar stays where no threshold is given.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from detector.knob import Configuration, Knob, Origin
from detector.rivals.gate import WORD
from detector.rivals.verdicts import Bar

KEY = "threshold"
LEAST = 1e-6


def bar_word(argument: str, bar: Bar, detector: str) -> tuple[str, Bar]:
    """What is left of an argument (without the gate's word) once a threshold at its end is taken, and the bar.

    LookupError for a threshold that is no number from LEAST to the largest raw score.

    >>> bar_word("modifiers,threshold=0.8", Bar(0.7, 1.0), "rita")
    ('modifiers', Bar(alert=0.8, most=1.0))
    >>> bar_word("modifiers", Bar(0.7, 1.0), "rita")
    ('modifiers', Bar(alert=0.7, most=1.0))
    """
    rest, comma, last = argument.rpartition(",")
    key, _, text = last.partition("=")
    if key != KEY:
        return argument, bar
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not LEAST <= value <= bar.most or (comma and not rest):
        expected = f"{KEY}=T, T from {LEAST:g} to {bar.most:g}, alone or after other words"
        raise LookupError(f"detector {detector}: found the argument {argument!r}, expected {expected}")
    return rest, replace(bar, alert=value)


class Barred:
    """A rival whose knob is its bar: a dataclass with name and bar inherits it, and says which analytic it judges."""

    analytic: ClassVar[str] = "AN1793"
    name: str
    bar: Bar

    @property
    def knobs(self) -> tuple[Knob, ...]:
        """The bar."""
        return (Knob(KEY, self.analytic, self.bar.alert, LEAST, self.bar.most, self.bar.most),)

    def tuned(self, values: Mapping[str, float], origin: Origin) -> Configuration:  # noqa: ARG002 - an argument has no room for a note
        """The same with another bar."""
        return with_bar(self.name, values)


def with_bar(name: str, values: Mapping[str, float]) -> Configuration:
    """The configuration of a rival of that name with another bar; LookupError for a knob that it has not.

    >>> with_bar("rita:modifiers,gate", {"threshold": 0.8125}).spelled()
    'rita:modifiers,threshold=0.8125,gate'
    """
    if unknown := set(values) - {KEY}:
        raise LookupError(f"detector {name}: unknown knob {', '.join(sorted(unknown))}, expected {KEY}")
    stem, _, argument = name.partition(":")
    words = [word for word in argument.split(",") if word and not word.startswith(f"{KEY}=")]
    gate = [word for word in words if word == WORD]
    bars = [f"{KEY}={value!r}" for value in values.values()]
    return Configuration(stem, ",".join([word for word in words if word != WORD] + bars + gate))
