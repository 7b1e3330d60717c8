"""Writes that are either whole or not there: files and folders made beside their place, synced, then renamed.

Nothing here knows what is written. A folder in the making is ``.<name>.<pid>.making``, locked while its maker lives.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

MAKING, REPLACED = ".making", ".replaced"


def write_atomic(path: Path, content: bytes | Callable[[BinaryIO], object]) -> None:
    """Writes ``content``, or lets it write into an open file: temporary file, fsync, rename, fsync of the folder.

    OSError leaves whatever was at ``path`` as it was, and no temporary file.
    """
    if not path.parent.is_dir():
        raise FileNotFoundError(2, "cannot be written, its folder does not exist", str(path))
    if path.is_dir():
        raise IsADirectoryError(21, "cannot be written, a folder stands there", str(path))
    temporary = path.with_name(f".{path.name}.{os.getpid()}{MAKING}")
    try:
        with temporary.open("wb") as file:
            if callable(content):
                content(file)
            else:
                file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def folder_in_the_making(folder: Path) -> Iterator[Path]:
    """A new empty folder beside ``folder`` that takes its place when the block ends, and vanishes if it raises.

    What stood at ``folder`` is moved aside first and deleted last; if the new one cannot take the place, it comes back.
    Makings that a dead process left behind are swept away, and what it had moved aside is put back.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    sweep(folder)
    making = folder.with_name(f".{folder.name}.{os.getpid()}{MAKING}")
    making.mkdir()
    lock = os.open(making, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield making
        sync_folder(making)
        _take_place(making, folder)
    except BaseException:
        shutil.rmtree(making, ignore_errors=True)
        raise
    finally:
        os.close(lock)


def sweep(folder: Path) -> None:
    """Removes makings of ``folder`` whose maker is dead, and puts back what one of them had moved aside."""
    aside = folder.with_name(f".{folder.name}{REPLACED}")
    if aside.exists() and not folder.exists():
        aside.rename(folder)
    shutil.rmtree(aside, ignore_errors=True)
    for making in sorted(folder.parent.glob(f".{folder.name}.*{MAKING}")):
        if making.is_dir() and not making.is_symlink() and _abandoned(making):
            shutil.rmtree(making)


def _take_place(making: Path, folder: Path) -> None:
    aside = folder.with_name(f".{folder.name}{REPLACED}")
    had_one = folder.exists()
    if had_one:
        folder.rename(aside)
    try:
        making.rename(folder)
    except OSError:
        if had_one:
            aside.rename(folder)
        raise
    with suppress(OSError):  # the new recording stands: a left-over is swept by the next maker
        sync_folder(folder.parent)
        shutil.rmtree(aside, ignore_errors=True)


def _abandoned(making: Path) -> bool:
    handle = os.open(making, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(handle)
    return True
