"""Numbers in a rule detector's argument: ``PATH?NAME=VALUE&NAME=VALUE``. Pure."""

from __future__ import annotations

import math


def settings_of(argument: str) -> tuple[str, dict[str, int | float]]:
    """The path and the numbers after ``?``; LookupError for what is no NAME=NUMBER.

    >>> settings_of("rules/a.sql?least=12&most=0.5"), settings_of("rules/a.sql")
    (('rules/a.sql', {'least': 12, 'most': 0.5}), ('rules/a.sql', {}))
    """
    path, mark, rest = argument.partition("?")
    found: dict[str, int | float] = {}
    for part in rest.split("&") if mark else ():
        name, _, text = part.partition("=")
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not name or not math.isfinite(value) or name in found:
            raise LookupError(f"found '?{rest}' in the argument, expected ?NAME=NUMBER, or several joined by '&'")
        found[name] = int(value) if value == int(value) and abs(value) < 2**53 else value
    return path, found
