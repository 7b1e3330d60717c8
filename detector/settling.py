"""New numbers in a TOML file of thresholds, in place: every comment, order and other value stays as it was.

Pure text. It knows lines ``name = value``, sections ``[name]``, and nothing more of TOML, so that no value which spans
lines can be set.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

Value = float | str | list[int] | list[str]


def settled(text: str, changes: Mapping[str, Mapping[str, Value]]) -> str:
    r"""The text with ``changes[section][key]`` set; LookupError names a section or key that is not there.

    >>> settled("[a]\nb = 1.0   # why\n", {"a": {"b": 0.25}})
    '[a]\nb = 0.25  # why\n'
    """
    waiting = {section: dict(values) for section, values in changes.items()}
    lines, section = [], ""
    for line in text.splitlines():
        if header := re.match(r"\[([^\]]+)\]", line):
            section = header[1]
        named = re.match(r"([A-Za-z_][\w-]*)\s*=", line)
        values = waiting.get(section, {})
        lines.append(_set(line, values.pop(named[1])) if named and named[1] in values else line)
    if missing := [f"{section}: {key}" for section, values in waiting.items() for key in values]:
        raise LookupError(f"thresholds: found no line for {', '.join(missing)}")
    return "\n".join(lines) + "\n"


def _set(line: str, value: Value) -> str:
    name, _, rest = line.partition("=")
    comment = re.search(r"\s#.*$", rest)
    told = f"{name.rstrip()} = {_written(value)}"
    if not comment:
        return told
    return f"{told:<{max(len(line) - len(comment[0].lstrip()), len(told) + 2)}}{comment[0].lstrip()}"


def _written(value: Value) -> str:
    if isinstance(value, float):
        return f"{value:.6g}" if "." in f"{value:.6g}" or "e" in f"{value:.6g}" else f"{value:.1f}"
    return json.dumps(value)
