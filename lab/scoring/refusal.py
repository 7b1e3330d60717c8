"""Why the run behind a scorecard is no evidence. Pure: the content of a scorecard in, a sentence out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def refusal(card: Mapping[str, Any]) -> str | None:
    """Why the run behind a scorecard is no evidence, in words; None if it is. Nothing ran is never a pass."""
    trials, detectors = card["trials"], card["detectors"]
    if trials["failed"]:
        return f"This run is no evidence: {trials['failed']} of {sum(trials.values())} trials failed."
    idle = [
        name
        for name, whole in detectors.items()
        if not any(cell["trials"]["scored"] for cell in whole["views"].values())
    ]
    if idle and trials["scored"]:
        return f"This run is no evidence for {', '.join(idle)}: not one trial of it was scored."
    return None if trials["scored"] else "This run is no evidence: nothing was scored."
