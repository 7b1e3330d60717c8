"""Where the recordings and scorecards of tests are kept, so that no two workers of a session play the same.

A recording is kept for good, and used as long as it is what would be made again. A scorecard is kept for one session:
what a detector is made of is not known here, so in the next session it looks again.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.gate.evidence import stored
from lab.recording import Recording, write_json
from lab.running.phase import Phase, in_silence
from lab.running.run import scorecard_of
from lab.running.trial import Plan, recorded, run_suite
from lab.shelf import shelf
from lab.store import write_atomic


@dataclass(frozen=True)
class Keep:
    """The folder of recordings, which outlives a session, and that of its scorecards, which all its workers share."""

    cache: Path
    session: Path

    def recording(self, plan: Plan) -> Recording:
        """The recording of the plan's only scenario and seed, proved whole; what play and open_recording raise."""
        (scenario,), (seed,) = plan.scenarios, plan.seeds
        with self._alone(plan) as folder:
            return recorded(plan, scenario, seed, folder)

    def scorecard(self, plan: Plan, phase: Phase = in_silence) -> dict[str, Any]:
        """The content of the plan's scorecard, not yet judged as evidence; what run_suite and scorecard_of raise."""
        path = self.session / f"{_digest(_asked(plan))}.json"
        if not path.exists():
            with self._alone(plan) as folder:
                if not path.exists():  # another worker made it while this one waited
                    with phase(f"run {plan.suite}") as advance:
                        run_suite(plan, folder, progress=advance)
                    self.session.mkdir(parents=True, exist_ok=True)
                    write_json(path, scorecard_of(folder, phase).to_json())
        content: dict[str, Any] = stored(path)
        return content

    @contextmanager
    def _alone(self, plan: Plan) -> Iterator[Path]:
        """The run folder in which what is played like this is recorded, to one process at a time.

        The kernel gives the lock back when its holder dies, however it dies.
        """
        self.cache.mkdir(parents=True, exist_ok=True)
        if not (self.cache / ".gitignore").exists():
            write_atomic(self.cache / ".gitignore", b"*\n")
        folder = self.cache / f"{plan.stage}-{_digest(_played(plan))[:12]}"
        with folder.with_name(f"{folder.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            folder.mkdir(exist_ok=True)
            (folder / "recordings").mkdir(exist_ok=True)  # by which a run begun is known
            yield folder


def _played(plan: Plan) -> dict[str, Any]:
    """On what a recording depends besides scenario and seed, which are its name; foreign scenarios, on whose names
    nobody watches, are told apart by their content.
    """
    known = shelf()
    foreign = sorted(one.sha256 for one in plan.scenarios if one.name not in known)
    past = vars(plan.past) if plan.past else None
    return {"stage": plan.stage, "devices": plan.devices, "wishes": dict(plan.wishes), "past": past, "foreign": foreign}


def _asked(plan: Plan) -> dict[str, Any]:
    """All that a scorecard depends on, for as long as neither we nor a detector change."""
    scenarios = [(one.name, one.sha256) for one in plan.scenarios]
    looks = {"detectors": plan.detectors, "views": plan.views, "budget": plan.budget}
    return {**_played(plan), "suite": plan.suite, "scenarios": scenarios, "seeds": plan.seeds, **looks}


def _digest(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
