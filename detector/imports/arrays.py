"""The elements of one JSON array, as far as they can be read."""

from __future__ import annotations

import json
from typing import Any

from detector.imports.account import Faults

_BETWEEN = " \n\r\t,"


def elements(text: str, at: int, place: str, faults: Faults) -> list[Any]:
    """What stands in the array whose bracket is at that place; where it breaks off is a fault with its line.

    >>> elements('[1, {"a": 2}]', 0, "x", Faults(allow_partial=False))
    [1, {'a': 2}]
    """
    found: list[Any] = []
    decoder = json.JSONDecoder()
    at += 1
    while True:
        while at < len(text) and text[at] in _BETWEEN:
            at += 1
        if text[at : at + 1] == "]":
            return found
        try:
            one, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            shown = repr(text[at : at + 40]) if at < len(text) else "the end of the file"
            faults.add(f"{place}, line {text.count(chr(10), 0, at) + 1}", shown, "an element of the array or ]")
            return found
        found.append(one)
