"""What a cell is told: command, folder, what it may read, environment, limits, and how far the fence reaches."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import detector
from detector.fenced.outcome import PROCESSES, Failed, Limits

#: What each reach of the fence leaves open.
OPEN: Mapping[str, tuple[str, ...]] = {
    "all": (),
    "network": ("files", "processes"),
    "none": ("network", "files", "processes"),
}
#: The environment of every foreign program: few threads, so that address space is enough, and no hash seed of chance.
BARE: Mapping[str, str] = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG": "C.UTF-8",
    "TZ": "UTC",
    "MALLOC_ARENA_MAX": "4",
    "OMP_NUM_THREADS": "4",
    "OPENBLAS_NUM_THREADS": "4",
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
}

#: The package that plays scenarios: with its seed, a recording's truth can be computed.
MAKER = "lab"


@dataclass(frozen=True)
class Order:
    """One run of one command; ``reach`` is a key of OPEN."""

    command: Sequence[str]
    folder: Path
    reach: str
    reads: Sequence[Path] = ()
    limits: Limits = field(default_factory=Limits)
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def program(self) -> Path:
        """Where the program lies, links not followed; Failed if there is none."""
        found = shutil.which(self.command[0])
        if found is None:
            raise Failed(f"{self.command[0]}: not found, expected a program on the PATH; install it and try again")
        return Path(found).absolute()

    @property
    def most(self) -> int:
        """How many processes and threads are too many."""
        return self.limits.processes or PROCESSES

    def to_json(self) -> str:
        """The order as cell.py reads it; Failed if there is no such program, FileNotFoundError if no such folder."""
        folder, program = str(self.folder.resolve(strict=True)), str(self.program)
        reads = {*interpreter(), program, *(str(path.absolute()) for path in self.reads)}
        return json.dumps(
            {
                "command": [program, *self.command[1:]],
                "folder": folder,
                "reads": sorted(reads),
                "hides": sorted(answers()),
                "environment": {**BARE, "TMPDIR": folder, **self.environment},
                "level": self.reach,
                "cpu_seconds": self.limits.cpu_seconds,
                "memory": self.limits.memory,
                "output": self.limits.output,
                "processes": self.most,
            }
        )


def answers() -> set[str]:
    """Where the package that makes scenarios and their truth may lie among what is shown; nobody needs it inside."""
    places = {Path(place).absolute() for place in sys.path} | {
        Path(place).absolute().parent for place in detector.__path__
    }
    return {str(found / MAKER) for place in places for found in (place, place.resolve())}


def interpreter() -> set[str]:
    """Where this interpreter, its packages and the detector's sources lie."""
    own = {sys.prefix, sys.base_prefix, sys.exec_prefix, sys.executable}
    return own | {str(Path(place).absolute()) for place in detector.__path__}
