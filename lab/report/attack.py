"""What the two analytics are in ATT&CK Mobile: techniques, detection strategies, and where their pages are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from detector.contract import ATTACK_VERSION

__all__ = ["ANALYTICS", "ATTACK_VERSION", "WEB", "Technique", "technique_of", "web"]


@dataclass(frozen=True)
class Technique:
    """One technique: its id and name, and the analytic and detection strategy that look for it (release 19.1)."""

    technique: str
    name: str
    analytic: str
    strategy: str

    @property
    def page(self) -> str:
        """Its page; a sub-technique's id has a dot where the address has a slash."""
        return f"https://attack.mitre.org/techniques/{self.technique.replace('.', '/')}/"


ANALYTICS: Mapping[str, Technique] = {
    "AN1793": Technique("T1437", "Application Layer Protocol", "AN1793", "DET0685"),
    "AN1702": Technique("T1604", "Proxy Through Victim", "AN1702", "DET0631"),
}
WEB = Technique("T1437.001", "Web Protocols", "AN1793", "DET0685")
#: Behaviours of command polling that speak HTTP or WebSocket.
_WEB_KINDS = frozenset({"http-poll", "long-poll", "websocket-poll"})


def technique_of(analytic: str, behaviour: str = "") -> tuple[Technique, ...]:
    """The technique of an analytic and, where the behaviour is polling over the web, its sub-technique.

    >>> [one.technique for one in technique_of("AN1793", "http-poll")]
    ['T1437', 'T1437.001']
    >>> [one.technique for one in technique_of("AN1793", "dns-poll")], technique_of("AN9999")
    (['T1437'], ())
    """
    found = (ANALYTICS[analytic],) if analytic in ANALYTICS else ()
    return (*found, WEB) if found and web(analytic, behaviour) else found


def web(analytic: str, behaviour: str) -> bool:
    """Whether incidents of that behaviour are of the sub-technique."""
    return analytic == WEB.analytic and behaviour in _WEB_KINDS
