"""The control that never finds anything: what doing nothing scores."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from detector.contract import Detector, Finding, Telemetry


@dataclass
class Silent:
    """A detector without findings."""

    name: str = "silent"
    version: str = "1"
    needs: tuple[str, ...] = ()

    def detect(self, telemetry: Telemetry) -> Iterable[Finding]:  # noqa: ARG002 - the contract's argument
        """Nothing, whatever was seen."""
        return ()


def create(argument: str) -> Detector:
    """The silent detector; LookupError if given an argument."""
    if argument:
        raise LookupError(f"detector silent: found the argument '{argument}', expected none")
    return Silent()
