"""Who signs a finding: the detector's name and version, and whether its evidence was incomplete."""

from __future__ import annotations

from dataclasses import dataclass, replace

from detector.contract import Finding


@dataclass(frozen=True)
class Signature:
    """What every finding of one run has in common."""

    name: str
    version: str
    partial: bool

    def under(self, finding: Finding) -> Finding:
        """A foreign finding, signed by the name and version by which its detector was asked for."""
        whole = finding.partial or self.partial
        return replace(finding, detector=self.name, detector_version=self.version, partial=whole)
