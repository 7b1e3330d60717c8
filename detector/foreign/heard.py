"""A client process heard to its end: within a time, and no more than so many bytes; it is ended where it goes beyond.

For clients of an engine, which itself holds what it runs: nothing here closes anybody off (that is detector/fenced).
"""

from __future__ import annotations

import os
import selectors
import subprocess
import time
from collections.abc import Sequence

from detector.fenced import Ended, Failed, Limits
from detector.fenced.outcome import TOLD

PIECE = 1 << 16
LOOK_S = 0.2


def heard(command: Sequence[str], limits: Limits, name: str) -> Ended:
    """How the client ended; Failed, naming ``name``, where it says too much or takes too long, once it is gone."""
    stdout: list[bytes] = []
    stderr, said, began, fault = b"", 0, time.monotonic(), ""
    with (
        subprocess.Popen(  # noqa: S603 - a command of ours
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
        ) as client,
        selectors.DefaultSelector() as waiting,
    ):
        assert client.stdout is not None
        assert client.stderr is not None
        try:
            for pipe in (client.stdout, client.stderr):
                waiting.register(pipe, selectors.EVENT_READ)
            while waiting.get_map() and not fault:
                for key, _ in waiting.select(LOOK_S):
                    piece = os.read(key.fd, PIECE)
                    said += len(piece)
                    if not piece:
                        waiting.unregister(key.fileobj)
                    elif key.fileobj is client.stdout:
                        stdout.append(piece)
                    else:
                        stderr = (stderr + piece)[-TOLD:]
                fault = _fault(said, time.monotonic() - began, limits)
        finally:
            if fault or waiting.get_map():
                client.kill()
    ended = Ended(client.returncode, b"".join(stdout), stderr)
    if fault:
        raise Failed(f"{name} was ended: {fault}; on stderr: {ended.told}")
    return ended


def _fault(said: int, seconds: float, limits: Limits) -> str:
    if said > limits.output:
        return f"it wrote more than {limits.output:,} bytes to stdout and stderr"
    return f"it ran longer than {limits.seconds:g} s" if seconds > limits.seconds else ""
