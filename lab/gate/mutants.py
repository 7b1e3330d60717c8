"""Mutants of a detector's configuration: one value moved, one condition removed, everything else as it was. Pure.

A TOML file is changed by value: numbers up and down by a quarter, switches turned, members of lists and whole keys
removed. Any other file (rules, queries) is changed by line: each line removed, each number doubled and halved. What is
no longer a configuration is the detector's to refuse.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

UP, DOWN = 1.25, 0.8
COMMENTS = ("#", "//", "--", ";")
UNTOUCHED = ("provenance",)  # tables that say where values come from and decide nothing
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.])")


@dataclass(frozen=True)
class Mutant:
    """A changed configuration: where, how, and its text."""

    place: str
    change: str
    text: str


def mutants(text: str, *, toml: bool) -> Iterator[Mutant]:
    """Every mutant of a configuration, in the order of its places; ValueError for TOML that is none."""
    yield from _of_toml(tomllib.loads(text)) if toml else _of_lines(text.split("\n"))


def _of_toml(document: Mapping[str, Any]) -> Iterator[Mutant]:
    for path, value in _leaves(document, ()):
        place = ".".join(path)
        for change, new in _changes(value):
            yield Mutant(place, change, written(_with(document, path, new)))
        yield Mutant(place, "removed", written(_with(document, path, None)))


def _leaves(table: Mapping[str, Any], above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, value in table.items():
        if isinstance(value, dict):
            if key not in UNTOUCHED:
                yield from _leaves(value, (*above, key))
        else:
            yield (*above, key), value


def _changes(value: Any) -> Iterator[tuple[str, Any]]:
    """Other values for this one, and what the change is called."""
    if isinstance(value, bool):
        yield f"{value} -> {not value}".lower(), not value
    elif isinstance(value, int):
        for whole in (max(value + 1, round(value * UP)), min(value - 1, round(value * DOWN))):
            yield f"{value} -> {whole}", whole
    elif isinstance(value, float):
        for new in (value * UP, value * DOWN) if value else (0.1,):
            yield f"{value:.6g} -> {new:.6g}", float(f"{new:.12g}")
    elif isinstance(value, list):
        for place, member in enumerate(value):
            yield f"without {json.dumps(member)}", [*value[:place], *value[place + 1 :]]


def _with(table: Mapping[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    """The table with another value at that path; None removes the key, which TOML has no value for."""
    first, *rest = path
    made = dict(table)
    if rest:
        made[first] = _with(table[first], tuple(rest), value)
    elif value is None:
        del made[first]
    else:
        made[first] = value
    return made


def written(document: Mapping[str, Any]) -> str:
    r"""A document as TOML: of dates and arrays of tables nothing is known here; ValueError for such.

    >>> written({"a": 1, "b": {"c d": [1.5, "x"]}}).split("\n")
    ['a = 1', '', '[b]', '"c d" = [1.5, "x"]', '']
    """
    return "\n".join(_lines(document, ())) + "\n"


def _lines(table: Mapping[str, Any], above: tuple[str, ...]) -> Iterator[str]:
    for key, value in table.items():
        if not isinstance(value, dict):
            yield f"{_key(key)} = {_value(value)}"
    for key, value in table.items():
        if isinstance(value, dict):
            path = (*above, key)
            yield ""
            yield f"[{'.'.join(map(_key, path))}]"
            yield from _lines(value, path)


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _text(name)


def _text(value: str) -> str:
    """A basic string of TOML: JSON's, with the one character that JSON leaves as it is and TOML forbids."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return _text(value)
    raise ValueError(f"found {value!r}, expected text, number, true, false or a list of them")


def _of_lines(lines: list[str]) -> Iterator[Mutant]:
    for number, line in enumerate(lines):
        if not line.strip() or line.lstrip().startswith(COMMENTS):
            continue
        place = f"line {number + 1}"
        yield Mutant(place, "removed", "\n".join([*lines[:number], *lines[number + 1 :]]))
        for found in _NUMBER.finditer(line):
            for factor in (2, 0.5):
                new = f"{float(found[0]) * factor:.12g}"
                if new != found[0]:
                    changed = line[: found.start()] + new + line[found.end() :]
                    yield Mutant(
                        place, f"{found[0]} -> {new}", "\n".join([*lines[:number], changed, *lines[number + 1 :]])
                    )
