"""Who must act: the author of a scenario, the owner of this machine, the keeper of the evidence, or us."""

from __future__ import annotations

from detector.contract import EvidenceError, Failed, Unsupported

__all__ = ["EvidenceError", "Failed", "PrerequisiteError", "ScenarioError", "StageError", "Unsupported"]


class ScenarioError(ValueError):
    """The author's: a scenario, suite or setting is wrong. ``faults``: each fault once, with its place (exit 2)."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = list(dict.fromkeys(faults))
        super().__init__("\n".join(self.faults))

    def __reduce__(self) -> tuple[type[ScenarioError], tuple[list[str]]]:
        """How a worker process hands it to its parent: by its faults, not by its text."""
        return type(self), (self.faults,)


class PrerequisiteError(RuntimeError):
    """This machine's: a tool, right or engine is missing; the message names the command that mends it (exit 3)."""


class StageError(RuntimeError):
    """Ours: a stage could not play a timeline that scenario check had accepted (exit 3)."""
