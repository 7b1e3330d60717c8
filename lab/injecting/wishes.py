"""How somebody wants a recording to be injected, and what of it can be granted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address

from lab.errors import ScenarioError


@dataclass(frozen=True)
class Wish:
    """How a recording is to be injected: ``at`` as lab.injecting.clock has it, ``devices`` name -> address.

    The name may be empty where there is one device only.
    """

    at: str | None = None
    devices: Mapping[str, str] = field(default_factory=dict)
    allow_partial: bool = False


def granted(devices: Mapping[str, str], names: list[str]) -> dict[str, str]:
    """Whose address is asked for; a bare address is that of the only device. ScenarioError with the devices' names."""
    wished = dict(devices)
    if (bare := wished.pop("", None)) is not None:
        if len(names) != 1:
            raise ScenarioError([f"--as-device: found {bare} alone, expected NAME=IP, NAME of {', '.join(names)}"])
        wished[names[0]] = bare
    for name, address in wished.items():
        if name not in names:
            raise ScenarioError([f"--as-device: found device {name!r}, expected one of {', '.join(names)}"])
        try:
            one = ip_address(address)
        except ValueError:
            raise ScenarioError([f"--as-device: found {address!r}, expected an IP address"]) from None
        if one.is_multicast or one.is_unspecified or one.is_loopback:
            raise ScenarioError([f"--as-device: found {address}, expected the address of a host"])
    if len(set(wished.values())) < len(wished):
        raise ScenarioError(["--as-device: found one address for two devices, expected one for each"])
    return {name: str(ip_address(address)) for name, address in wished.items()}
