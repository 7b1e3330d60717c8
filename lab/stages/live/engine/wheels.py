"""The wheelhouse: wheels for the images' Python, downloaded by this machine's pip into a cache folder.

So no image ever holds a certificate, a proxy or the address of an index: they are this machine's own affair.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from lab.errors import PrerequisiteError
from lab.store import folder_in_the_making

PYTHON = "3.13"  # of Debian trixie, which every image stands on
_ABIS = ("cp313", "abi3", "none")
_PLATFORMS = ("manylinux_2_34", "manylinux_2_28", "manylinux_2_17", "manylinux2014", "linux")  # glibc of trixie: 2.41
_TIMEOUT_S = 900


def wheelhouse(requirements: tuple[str, ...]) -> dict[str, Path]:
    """Wheels that satisfy ``requirements`` and all they need, by file name; downloaded once, then from the cache.

    PrerequisiteError if there is no pip, or it could not get them.
    """
    if not requirements:
        return {}
    folder = cache_folder() / "wheels" / _key(requirements)
    if not folder.is_dir():
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            with folder_in_the_making(folder) as making:
                _download(requirements, making)
        except OSError as fault:
            raise PrerequisiteError(
                f"{folder}: cannot be written ({fault.strerror}); free space there, or set "
                f"XDG_CACHE_HOME to another folder"
            ) from fault
    return {path.name: path for path in sorted(folder.glob("*.whl"))}


def download_words(requirements: tuple[str, ...], folder: Path, machine: str) -> list[str]:
    """The arguments of pip that fetch wheels for Python 3.13 on Debian trixie, whatever this machine's own are."""
    words = ["download", "--quiet", "--only-binary=:all:", "--implementation", "cp", "--python-version", PYTHON]
    words += [word for abi in _ABIS for word in ("--abi", abi)]
    words += [word for name in _PLATFORMS for word in ("--platform", f"{name}_{machine}")]
    return [*words, "--dest", str(folder), *requirements]


def _download(requirements: tuple[str, ...], folder: Path) -> None:
    words = [*pip(), *download_words(requirements, folder, platform.machine())]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)  # noqa: S603 - no shell
    except subprocess.TimeoutExpired as fault:
        raise PrerequisiteError(f"pip download took more than {_TIMEOUT_S} s; try again: {' '.join(words)}") from fault
    if done.returncode:
        raise PrerequisiteError(
            f"the wheels of the images cannot be had:\n{done.stderr.strip()[-1500:]}\n"
            f"see what is wrong with: {' '.join(words)}"
        )


def pip() -> list[str]:
    """How to call a pip on this machine: this environment's, the program, or one in a private venv (venv has none)."""
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    program = shutil.which("pip3") or shutil.which("pip")
    return [program] if program else [str(_private_pip()), "-m", "pip"]


def _private_pip() -> Path:
    folder = cache_folder() / "pip"
    python = folder / "bin/python"
    if not python.exists():
        words = [sys.executable, "-m", "venv", "--clear", str(folder)]
        done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)  # noqa: S603 - no shell
        if done.returncode:
            raise PrerequisiteError("there is no pip to fetch the images' wheels with: apt-get install python3-pip")
    return python


def cache_folder() -> Path:
    """This user's cache: $XDG_CACHE_HOME/droidrange, ~/.cache/droidrange by default."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "droidrange"


def _key(requirements: tuple[str, ...]) -> str:
    told = "\n".join([PYTHON, platform.machine(), *_PLATFORMS, *sorted(requirements)])
    return hashlib.sha256(told.encode()).hexdigest()[:16]
