"""The live stage: a timeline played by real sockets on Android devices behind a mitmproxy gateway, in Docker.

The orchestrator speaks every client's side through adb, the servers answer from the same script, and everything that
is recorded was seen: packets and requests on the gateway, sockets in the phones' kernels, states as the phones say.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from detector.contract import Advance
from lab.timeline import Timeline

ALONE = True  # it runs in real time: a second run would take its processors


def ready(*, lab: str | None = None, **_other: object) -> None:
    """Raises what would end every play: no engine (PrerequisiteError), no such lab or several to choose from."""
    from lab.stages.live.finding import attach

    attach(lab)


def play(
    timeline: Timeline,
    folder: Path,
    *,
    speed: float = 1.0,
    lab: str | None = None,
    pin: Sequence[str] = (),
    passthrough: Sequence[str] = (),
    replace: bool = False,
    progress: Advance | None = None,
) -> Path:
    """Plays the timeline and writes its recording at ``folder``; ``progress`` gets (seconds done, seconds in all).

    Idle gaps pass ``speed`` times as fast. ``lab`` is the id of one that is up; without it the one that is up is used,
    or one is brought up for this time. ``pin``: packages whose apps trust no interception; ``passthrough``: hosts that
    are not intercepted. Raises PrerequisiteError for what this machine lacks, ScenarioError for a wish that cannot be
    met, StageError for a lab that fails; EvidenceError, with the reason, after a run whose recording is not complete.
    """
    from lab.stages.live.stage import record_live

    wishes = {"speed": speed, "lab": lab, "pin": tuple(pin), "passthrough": tuple(passthrough)}
    return record_live(timeline, folder, replace=replace, progress=progress, **wishes)  # type: ignore[arg-type]
