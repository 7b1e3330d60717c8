"""What the bundled detector holds for suspicious, read from a TOML file; ATT&CK's mutable elements keep their names."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

BUNDLED = Path(__file__).with_name("thresholds.toml")
EXPECTED = "expected a TOML file of the shape of detector/thresholds.toml"
#: What is divided by, or needs two contacts to mean anything.
_LEAST = {
    "beacon_interval_variance_threshold": 1e-6,
    "connection_frequency_threshold": 2,
    "evidence_scale": 1e-6,
    "rate_unusual": 1e-6,
    "streams_scale": 1e-6,
    "windows": 1,
    "anchor_s": 1e-6,
    "time_window": 1,
}
#: Scores, shares of scores, and what is taken off them: numbers of which more than 1 means nothing, by key or table.
_SHARES = frozenset(
    (
        *("threshold", "near_miss", "allowed_relief", "prevalence_relief", "rare_share"),
        *("sanctioned_gate", "sanctioned_adoption"),
        *("handshake_score", "unanswered_score", "attended_floor", "known_floor"),
        *("role_relief", "product_threshold", "points_threshold", "anomaly_lift"),
    )
)
#: Of these, what is divided by.
_DIVISORS = frozenset(("product_threshold", "points_threshold"))

#: Keys of what differs with a learned baseline and without.
BASELINED = ("baseline", "no_baseline")
#: Factors of AN1793 that may have a weight.
FACTORS = frozenset(
    (
        *("interval_regularity", "gap_floor", "mode_share", "hour_coverage", "contact_spread", "night_coverage"),
        *("background_use", "background_share", "idle_share", "lock_independence", "lock_preference"),
        *("size_constancy", "constancy_up", "constancy_down", "smallness", "size_symmetry", "task_mixture"),
        *("name_anomaly", "dns_tunnel", "protocol_role", "stack_first_use", "contact_rate"),
    )
)


#: Factors of AN1702 that may have a weight, by the table they stand in.
RELAY_FACTORS: Mapping[str, frozenset[str]] = {
    "bridge_weights": frozenset(
        ("timing", "bridge_correlation", "pairing_lift", "byte_conservation", "size_agreement", "bounded_difference")
    ),
    "suspicion_weights": frozenset(("base", "fan_out", "stack_diversity", "setup_evidence", "concurrency")),
}


@dataclass(frozen=True)
class RoleBaseline:
    """What an app's category explains before anything was learned: background contacts, protocols beyond everyday."""

    background: frozenset[str]
    protocols: Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class Provenance:
    """Where weights and thresholds come from; what was set by hand says so in ``split``."""

    split: str
    date: str
    seeds: tuple[int, ...]
    budget: float  # false alarms per device-day
    commit: str  # of the tree that tuned
    device_days: float


@dataclass(frozen=True)
class PollingThresholds:
    """Settings of AN1793; the TOML file documents each."""

    threshold: float
    near_miss: float
    beacon_interval_variance_threshold: float
    connection_frequency_threshold: int
    payload_entropy_threshold: float
    payload_symmetry_threshold: float
    last_user_interaction_delta: float
    app_state: str
    device_lock_state: str
    allowed_app_list: frozenset[str]
    allowed_roles: frozenset[str]
    allowed_destination_list: frozenset[str]
    ignored_ports: frozenset[int]
    merge_gap_s: tuple[float, ...]
    evidence_scale: float
    rate_unusual: float
    rare_devices: float
    rare_share: float
    rare_fleet: float
    prevalence_relief: float
    allowed_relief: float
    sanctioned_gate: float
    sanctioned_adoption: float
    points_resistance: float
    role_relief: Mapping[str, float]
    product_threshold: Mapping[str, float]
    points_threshold: Mapping[str, float]
    anomaly_lift: Mapping[str, float]
    product_weights: Mapping[str, float]
    points_weights: Mapping[str, float]
    app_network_role_baseline: RoleBaseline
    provenance: Provenance


@dataclass(frozen=True)
class RelayThresholds:
    """Settings of AN1702; the TOML file documents each."""

    threshold: float
    near_miss: float
    time_window: float
    allowed_app_list: frozenset[str]
    allowed_roles: frozenset[str]
    allowed_destination_list: frozenset[str]
    foreground_state_required: bool
    last_user_interaction_delta: float
    anchor_s: float
    fewest_streams: int
    fewest_destinations: int
    streams_scale: float
    evidence_scale: float
    windows: tuple[float, ...]
    attended_floor: float
    known_floor: float
    handshake_score: float
    unanswered_score: float
    allowed_relief: float
    role_shapes: Mapping[str, frozenset[str]]
    bridge_weights: Mapping[str, float]
    suspicion_weights: Mapping[str, float]


@dataclass(frozen=True)
class Thresholds:
    """Both analytics' settings."""

    polling: PollingThresholds
    relay: RelayThresholds


@cache
def load_thresholds(path: Path = BUNDLED) -> Thresholds:
    """The thresholds in a TOML file; LookupError (exit 2) lists every missing, unknown or mistyped key with its place.

    The same for a file that is absent or no TOML: it names what was found and expected in one line.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as fault:
        raise LookupError(f"thresholds: found no readable file {path} ({fault.strerror}), {EXPECTED}") from None
    except (ValueError, RecursionError) as fault:  # not UTF-8, no TOML, or no path
        raise LookupError(f"thresholds: {path.name!r}: found no TOML ({fault}), {EXPECTED}") from None
    faults: list[str] = []
    polling = _section(document.get("AN1793", {}), PollingThresholds, "AN1793", faults)
    relay = _section(document.get("AN1702", {}), RelayThresholds, "AN1702", faults)
    faults += [f"unknown section '{name}'" for name in document if name not in ("AN1793", "AN1702")]
    if faults:
        raise LookupError("\n".join(f"thresholds: {path.name}: {fault}" for fault in faults))
    return Thresholds(PollingThresholds(**polling), RelayThresholds(**relay))


def _too_small(value: Any, least: float) -> bool:
    return bool(min(value) < least if isinstance(value, tuple) else value < least)


def _beyond(name: str, value: float | Mapping[str, float]) -> list[str]:
    """What of a share, or of a table of shares, is no share; nothing is below 0 any more."""
    told = value if isinstance(value, Mapping) else {"": value}
    least = "above 0, " if name in _DIVISORS else ""
    return [
        f"{f'{name}.{key}' if key else name}: found {one:g}, expected {least}at most 1"
        for key, one in told.items()
        if one > 1 or (least and not one)
    ]


def _section(given: Mapping[str, Any], shape: type, place: str, faults: list[str]) -> dict[str, Any]:
    if not isinstance(given, dict):
        faults.append(f"{place}: found {given!r}, expected a section")
        return {}
    kinds = {field.name: str(field.type) for field in fields(shape)}
    named = {_snake(key): value for key, value in given.items()}
    faults += [f"{place}: unknown key '{key}'" for key in given if _snake(key) not in kinds]
    faults += [f"{place}: key '{name}' is missing" for name in kinds if name not in named]
    values = {}
    for name, kind in kinds.items():
        if name in named:
            try:
                values[name] = _value(named[name], kind)
            except (TypeError, ValueError, AttributeError, KeyError):
                faults.append(f"{place}: {name}: found {named[name]!r}, expected {kind}")
            else:
                if name in _LEAST and _too_small(values[name], _LEAST[name]):
                    faults.append(f"{place}: {name}: found {named[name]!r}, expected at least {_LEAST[name]:g}")
                if name in _SHARES:
                    faults += [f"{place}: {fault}" for fault in _beyond(name, values[name])]
                if kind == "Mapping[str, float]" and (wrong := _misnamed(name, values[name])):
                    faults.append(f"{place}: {name}: found {', '.join(values[name])}, {wrong}")
    return values


def _misnamed(field: str, values: Mapping[str, float]) -> str | None:
    """What is wrong with the keys of a table of numbers; None if nothing is."""
    if field.endswith(("_threshold", "_relief")):
        return None if set(values) == set(BASELINED) else f"expected the keys {' and '.join(BASELINED)}"
    known = RELAY_FACTORS.get(field, FACTORS)
    unknown = sorted(set(values) - known)
    return f"unknown {', '.join(unknown)}; known are {', '.join(sorted(known))}" if unknown or not values else None


def _value(found: Any, kind: str) -> Any:
    if kind in _READERS:
        return _READERS[kind](found)
    if kind in ("int", "bool", "str"):
        wanted = {"int": int, "bool": bool, "str": str}[kind]
        if type(found) is not wanted:
            raise TypeError
        return found
    if kind.startswith("Mapping"):
        listed = "frozenset" in kind
        return {str(key): _listed(value, str) if listed else _number(value) for key, value in found.items()}
    if kind.startswith("frozenset"):
        return _listed(found, int if "int" in kind else str)
    if not isinstance(found, list) or not found:
        raise TypeError
    return tuple(_number(item) for item in found)


def _role_baseline(found: Any) -> RoleBaseline:
    spoken = {category: _listed(names, str) for category, names in found.get("protocols", {}).items()}
    return RoleBaseline(_listed(found["background"], str), spoken)


def _provenance(found: Any) -> Provenance:
    words = {name: _value(found[name], "str") for name in ("split", "date", "commit")}
    seeds = tuple(_value(seed, "int") for seed in found["seeds"])
    return Provenance(**words, seeds=seeds, budget=_number(found["budget"]), device_days=_number(found["device_days"]))


def _listed(found: Any, kind: type) -> frozenset[Any]:
    if not isinstance(found, list) or any(type(item) is not kind for item in found):
        raise TypeError
    return frozenset(found)


def _number(found: Any) -> float:
    if isinstance(found, bool) or not isinstance(found, int | float) or not 0 <= found < math.inf:
        raise ValueError
    return float(found)


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "float": _number,
    "RoleBaseline": _role_baseline,
    "Provenance": _provenance,
}


def _snake(key: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key).lower()
