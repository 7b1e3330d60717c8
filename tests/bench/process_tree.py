"""The memory of a process and all that it started, sampled while a block runs: shared pages count once (PSS)."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

EVERY_S = 0.2


@contextmanager
def peak_of_tree() -> Iterator[list[float]]:
    """A list whose one number is the most GiB so far."""
    peak, over = [0.0], threading.Event()

    def watch() -> None:
        while not over.wait(EVERY_S):
            peak[0] = max(peak[0], tree_gib())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peak
    finally:
        over.set()
        watcher.join()


def tree_gib() -> float:
    """The GiB of this process and its descendants now; those that end meanwhile count nothing."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                stat = (folder / "stat").read_text()
            except OSError:
                continue
            children.setdefault(int(stat.rpartition(")")[2].split()[1]), []).append(int(folder.name))
    todo, total = [os.getpid()], 0
    while todo:
        process = todo.pop()
        todo += children.get(process, [])
        total += _kib(process)
    return total / 1_048_576


def _kib(process: int) -> int:
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
