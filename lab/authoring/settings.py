"""Settings of behaviours as a scenario file writes them: durations, ranges, choices, and what is wrong with them."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, fields
from typing import Any

from lab.behaviours import SECOND, nearest

UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
LAB_NETWORKS = tuple(ipaddress.ip_network(net) for net in ("10.88.0.0/16", "198.18.0.0/15", "2001:db8::/32"))
LAB_GROUPS = ("224.0.0.251", "239.255.255.250")  # mdns, ssdp: a link's own, never routed
LAB_TLDS = (".example", ".test")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_NAME = re.compile(r"(?:[a-z0-9_-]+\.)+[a-z]{2,}", re.IGNORECASE)


def seconds(text: object) -> float:
    """The seconds in a duration such as "5m", "30s", "1.5h" or "250ms"; ValueError says what was expected.

    >>> seconds("5m")
    300.0
    """
    found = _DURATION.fullmatch(text.strip()) if isinstance(text, str) else None
    if found is None:
        raise ValueError(f"found {text!r}, expected a duration such as '30s', '5m' or '2h'")
    return float(found[1]) * UNITS_S[found[2]]


def microseconds(text: object) -> int:
    """The microseconds in a duration; ValueError as for ``seconds``."""
    return round(seconds(text) * SECOND)


def settings_of(kind: type[Any], given: Mapping[str, object]) -> tuple[dict[str, Any], list[str]]:
    """The values for a behaviour's fields and every fault found in ``given``, each beginning with its setting."""
    known = {found.name: found for found in fields(kind)}
    values: dict[str, Any] = {}
    faults = []
    for name, raw in given.items():
        if name not in known:
            faults.append(f"unknown setting '{name}'{nearest(name, list(known)) or '; known are ' + ', '.join(known)}")
            continue
        try:
            values[name] = _value(known[name], raw)
        except ValueError as fault:
            faults.append(f"{name}: {fault}")
    missing = [name for name, found in known.items() if found.default is MISSING and name not in given]
    return values, faults + [f"setting '{name}' is missing" for name in missing]


def _value(field: Field[Any], raw: object) -> object:
    unit, choices = field.metadata.get("unit", ""), field.metadata.get("choices", ())
    wanted = type(field.default)
    value: object = seconds(raw) if unit == "s" else raw
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not wanted:
        raise ValueError(f"found {raw!r}, expected {_WORDS.get(wanted, wanted.__name__)}")
    if choices and value not in choices:
        raise ValueError(f"found {raw!r}, expected one of {', '.join(choices)}{nearest(str(raw), list(choices))}")
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        _in_range(value, field)
    return value


_WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}


def _in_range(value: float, field: Field[Any]) -> None:
    low, high, unit = (field.metadata.get(key) for key in ("minimum", "maximum", "unit"))
    ok = (low is None or value >= low) and (high is None or value <= high)
    if not ok:
        bounds = (
            f"from {low:.12g}" + (f" to {high:.12g}" if high is not None else "")
            if low is not None
            else f"<= {high:.12g}"
        )
        raise ValueError(f"found {value:.12g}, expected {bounds}{' ' + unit if unit else ''}")


def routable(value: object, place: str = "") -> Iterator[str]:
    """The faults of every text in ``value`` that names a destination outside the lab's own addresses and names."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from routable(inner, f"{place}{key}: ")
    elif isinstance(value, list):
        for inner in value:
            yield from routable(inner, place)
    elif isinstance(value, str) and not _in_lab(value.strip()):
        yield f"{place}'{value}' is a routable destination; expected 10.88.0.0/16, 198.18.0.0/15, .example or .test"


def _in_lab(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return _NAME.fullmatch(text) is None or text.lower().endswith(LAB_TLDS)
    return str(address) in LAB_GROUPS or any(address.version == net.version and address in net for net in LAB_NETWORKS)
