"""Who plays in a lab: a lock on a file of the lab's folder, free the moment its holder ends, however it ends."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

_FILE = "busy"
_TRIES, _PAUSE_S = 5, 0.05  # whoever asks ``playing`` has the lock for a moment


def playing(folder: Path) -> bool:
    """Whether a process has the lab of that folder for itself; one that cannot be asked counts as playing."""
    try:
        with (folder / _FILE).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """The lab of that folder for this process. BlockingIOError: another has it; FileNotFoundError: it is gone."""
    with (folder / _FILE).open("ab") as file:
        _lock(file)
        if not os.fstat(file.fileno()).st_nlink:  # taken down since it was opened
            raise FileNotFoundError(2, "the lab was taken down", str(folder))
        yield


def _lock(file: IO[bytes]) -> None:
    for left in reversed(range(_TRIES)):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not left:
                raise
            time.sleep(_PAUSE_S)
        else:
            return
