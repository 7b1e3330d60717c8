"""Fail every write, sync and rename in turn: what was there stays, what is there is whole."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from contextlib import suppress
from itertools import count
from pathlib import Path

import pytest

from lab.store import folder_in_the_making, write_atomic


class Broken:
    """Lets n calls of the file system pass, then every later one fails (a full disk) or the next only (an accident)."""

    def __init__(self, monkeypatch, passes: int, *, once: bool) -> None:
        self.left, self.once, self.fired = passes, once, 0
        for owner, name in ((os, "fsync"), (Path, "rename"), (Path, "replace"), (Path, "mkdir")):
            monkeypatch.setattr(owner, name, self.guard(getattr(owner, name)))
        really = Path.open

        def opened(path, mode="r", *args, **kwargs):
            file = really(path, mode, *args, **kwargs)
            return FullDisk(file, self) if "w" in mode else file

        monkeypatch.setattr(Path, "open", opened)

    def guard(self, call):
        def guarded(*args, **kwargs):
            self.count()
            return call(*args, **kwargs)

        return guarded

    def count(self) -> None:
        self.left -= 1
        if self.left == -1 or (self.left < -1 and not self.once):
            self.fired += 1
            raise OSError(errno.ENOSPC, "no space left on device")


class FullDisk:
    """A file whose writes count."""

    def __init__(self, file, broken: Broken) -> None:
        self.file, self.broken = file, broken

    def write(self, data):
        self.broken.count()
        return self.file.write(data)

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.file.close()

    def __getattr__(self, name):
        return getattr(self.file, name)


def fill(folder: Path, text: str) -> None:
    with folder_in_the_making(folder) as making:
        write_atomic(making / "one.txt", text.encode())
        write_atomic(making / "two.txt", lambda file: file.write(text.encode()))


def content(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in sorted(folder.iterdir())}


OLD, NEW = ({"one.txt": text, "two.txt": text} for text in ("old", "new"))


@pytest.mark.parametrize("once", [True, False])
@pytest.mark.parametrize("replacing", [True, False])
def test_whatever_fails_the_folder_is_old_or_new_or_absent(tmp_path, once, replacing):
    outcomes = []
    for passes in count():
        folder = tmp_path / f"at-{passes}" / "rec"
        if replacing:
            fill(folder, "old")
        else:
            folder.parent.mkdir()
        with pytest.MonkeyPatch.context() as patch:
            broken = Broken(patch, passes, once=once)
            with suppress(OSError):
                fill(folder, "new")
        if not folder.exists() and replacing:  # both renames failed: the next maker puts it back
            with pytest.raises(ZeroDivisionError), folder_in_the_making(folder):
                raise ZeroDivisionError
        outcomes.append(content(folder) if folder.exists() else None)
        assert [path.name for path in folder.parent.iterdir() if path.name.endswith(".making")] == []
        if not broken.fired:
            break
    assert len(outcomes) > 8, "the control must have fired"
    assert outcomes[-1] == NEW
    assert all(outcome in ([OLD, NEW] if replacing else [None, NEW]) for outcome in outcomes)
    assert outcomes[0] == (OLD if replacing else None)


def test_a_failed_file_leaves_the_old_one_and_no_temporary(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    write_atomic(path, b"old")
    for passes in range(3):  # write, fsync, replace
        with pytest.MonkeyPatch.context() as patch:
            Broken(patch, passes, once=True)
            with pytest.raises(OSError, match="no space"):
                write_atomic(path, b"new")
        assert content(tmp_path) == {"a.json": "old"}


def test_an_interrupted_maker_leaves_nothing(tmp_path):
    def interrupted():
        with folder_in_the_making(tmp_path / "rec") as making:
            (making / "half").write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []


KILLED = """
import os, sys
from pathlib import Path
from lab import store
if sys.argv[2] == "between":
    rename = Path.rename
    def once(path, target):
        if path.name.endswith(".making"):
            os._exit(9)
        return rename(path, target)
    Path.rename = once
with store.folder_in_the_making(Path(sys.argv[1])) as making:
    store.write_atomic(making / "one.txt", b"new")
    if sys.argv[2] == "early":
        os._exit(9)
"""


@pytest.mark.parametrize("when", ["early", "between"])
def test_what_a_killed_maker_left_is_swept_and_what_it_moved_is_put_back(tmp_path, when):
    folder = tmp_path / "rec"
    fill(folder, "old")
    done = subprocess.run([sys.executable, "-c", KILLED, str(folder), when], check=False, cwd=Path(__file__).parents[2])
    assert done.returncode == 9
    assert len(list(tmp_path.iterdir())) == 2, "the control: something was left"
    with pytest.raises(ZeroDivisionError), folder_in_the_making(folder):
        raise ZeroDivisionError
    assert content(folder) == OLD
    assert [path.name for path in tmp_path.iterdir()] == ["rec"]


def test_a_living_maker_is_not_swept(tmp_path):
    living = tmp_path / ".rec.1.making"
    script = f"""
import fcntl, os, sys
handle = os.open({str(living)!r}, os.O_RDONLY)
fcntl.flock(handle, fcntl.LOCK_EX)
print("locked", flush=True)
sys.stdin.read()
"""
    living.mkdir()
    with subprocess.Popen([sys.executable, "-c", script], stdin=-1, stdout=-1, text=True) as maker:
        assert maker.stdout is not None
        assert maker.stdout.readline() == "locked\n"
        fill(tmp_path / "rec", "new")
        assert living.is_dir()
        maker.communicate("")
    fill(tmp_path / "rec", "newer")
    assert not living.exists()
