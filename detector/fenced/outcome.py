"""What a foreign program may use, and how it ended: Limits, Ended, Failed.

A program that ends by itself has Ended, whatever its exit code; one that had to be ended has Failed.
"""

from __future__ import annotations

from dataclasses import dataclass

from detector.contract import Failed as Failed  # noqa: PLC0414 - an outcome like the others, told by the contract

TOLD = 4096  # bytes of stderr that are kept
PROCESSES = 512  # processes and threads of a program that nobody gave another limit


@dataclass(frozen=True)
class Limits:
    """What one program may use, its children counted with it; whoever reaches a limit is ended and has Failed.

    ``memory`` is bytes: of address space for each process (RLIMIT_AS), and of what all of them hold that no other
    file backs. ``output`` is bytes: of stdout and stderr together, and of what lies in the folder more than before.
    ``processes`` counts threads too; None is PROCESSES.
    """

    seconds: float = 600.0
    cpu_seconds: int = 600
    memory: int = 4 << 30
    output: int = 512 << 20
    processes: int | None = None


@dataclass(frozen=True)
class Ended:
    """A program that ended by itself: exit code (128 + N after signal N), all of stdout, the last of stderr.

    ``open`` names what the fence could not close on this machine: "network", "files", "processes".
    """

    code: int
    stdout: bytes
    stderr: bytes
    open: tuple[str, ...] = ()

    @property
    def told(self) -> str:
        """The last lines of stderr as text, at most three, for a message."""
        lines = self.stderr.decode(errors="replace").strip().splitlines()
        return " | ".join(line.strip() for line in lines[-3:]) or "nothing on stderr"
