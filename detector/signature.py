"""Who signs a finding: the detector's name and version, and whether its evidence was incomplete."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Signature:
    """What every finding of one run has in common."""

    name: str
    version: str
    partial: bool
