"""How odd the naming of a destination is: no SNI, an address nobody looked up, a name that is not the answered one.

Needs flows with SNI; the last two need dns too. Raised wrongly by peer-to-peer apps, messengers that ship address
lists, and names cached from before the recording began.
"""

from __future__ import annotations

from dataclasses import dataclass

from detector.features.name_entropy import name_entropy


@dataclass(frozen=True)
class Naming:
    """What is known of how a destination was named; None: this sensor cannot tell."""

    no_sni: bool | None  # its TLS flows carry no SNI although others' do
    never_resolved: bool | None  # known by address only, and no answer held that address
    other_name: bool | None  # SNI or Host differs from every name whose answer held the address
    label: str  # the registrable label, empty where there is no name


def name_anomaly(naming: Naming, *, bits: float = 3.2) -> float | None:
    """Largest of: other name 0.9, no SNI 0.7, never resolved 0.5, entropy of the label; None if nothing is known.

    >>> name_anomaly(Naming(no_sni=False, never_resolved=False, other_name=False, label="testing"))
    0.0
    >>> name_anomaly(Naming(no_sni=True, never_resolved=True, other_name=None, label=""))
    0.7
    """
    weights = ((naming.other_name, 0.9), (naming.no_sni, 0.7), (naming.never_resolved, 0.5))
    known = [weight * bool(fact) for fact, weight in weights if fact is not None]
    if naming.label:
        known.append(name_entropy(naming.label, bits=bits))
    return max(known) if known else None
