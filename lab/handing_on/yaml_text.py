"""Plain values as YAML: blocks of mappings and lists, every text in double quotes, so that no reader guesses a type."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

_BMP = 0xFFFF


def yaml_text(value: Mapping[str, Any], remark: str = "") -> bytes:
    """The mapping as a YAML document (1.1 and 1.2 read it alike), below a remark.

    >>> print(yaml_text({"a": [{"b": 1}, "no"], "c": {}}, "why").decode(), end="")
    # why
    a:
      - b: 1
      - "no"
    c: {}
    """
    head = [f"# {_scalar(line)[1:-1]}" for line in remark.splitlines()]
    return ("\n".join([*head, *_mapping(value, "")]) + "\n").encode()


def _mapping(value: Mapping[str, Any], indent: str) -> Iterator[str]:
    for key, one in value.items():
        name = key if key.replace("_", "").replace("-", "").replace(".", "").isalnum() else _scalar(key)
        if isinstance(one, Mapping) and one:
            yield f"{indent}{name}:"
            yield from _mapping(one, indent + "  ")
        elif isinstance(one, list | tuple) and one:
            yield f"{indent}{name}:"
            yield from _items(one, indent + "  ")
        else:
            yield f"{indent}{name}: {_scalar(one)}"


def _items(value: list[Any] | tuple[Any, ...], indent: str) -> Iterator[str]:
    for one in value:
        if isinstance(one, Mapping) and one:
            first, *rest = _mapping(one, indent + "  ")
            yield f"{indent}- {first[len(indent) + 2 :]}"
            yield from rest
        else:
            yield f"{indent}- {_scalar(one)}"


def _scalar(value: Any) -> str:
    """A text, number, truth value, null or empty container as JSON, which is YAML; what does not print is escaped."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" if ord(c) > _BMP else f"\\u{ord(c):04x}" for c in text)
