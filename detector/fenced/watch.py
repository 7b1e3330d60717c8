"""What all processes of a cell use together, read from /proc and from its folder, as nobody else counts them.

A limit of the kernel (setrlimit(2)) holds for one process; a bomb is many. Source of the fields: proc(5).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

FILES = 100_000  # as many files in a folder are not counted further: they are too many
PAGE = os.sysconf("SC_PAGE_SIZE")
BLOCK = 512  # of st_blocks, stat(2)


def descendants(root: int) -> Iterator[int]:
    """The ids of all processes below one; those that end meanwhile are left out."""
    queue = [root]
    while queue:
        parent = queue.pop()
        for thread in _threads(parent):
            try:
                children = [int(word) for word in Path(f"/proc/{parent}/task/{thread}/children").read_text().split()]
            except OSError:
                continue
            yield from children
            queue += children


def used(root: int) -> tuple[int, int]:
    """(processes and threads, bytes of memory that no other file backs) of all below the process."""
    tasks, pages = 0, 0
    for process in descendants(root):
        tasks += len(_threads(process))
        try:
            words = Path(f"/proc/{process}/statm").read_text().split()
        except OSError:
            continue
        pages += int(words[1]) - int(words[2])
    return tasks, pages * PAGE


def stored(folder: Path) -> int:
    """Bytes that lie in a folder and below; whoever has FILES of them has too many, and it is reckoned infinite."""
    total = count = 0
    queue = [folder]
    while queue:
        try:
            entries = list(os.scandir(queue.pop()))
        except OSError:
            continue
        count += len(entries)
        if count > FILES:
            return 1 << 62
        for entry in entries:
            try:
                found = entry.stat(follow_symlinks=False)
            except OSError:
                continue
            total += found.st_blocks * BLOCK
            if entry.is_dir(follow_symlinks=False):
                queue.append(Path(entry.path))
    return total


def _threads(process: int) -> list[str]:
    try:
        return os.listdir(f"/proc/{process}/task")  # noqa: PTH208 - names alone, twenty times a second
    except OSError:
        return []
