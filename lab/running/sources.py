"""What a recording depends on besides its scenario: the code that makes it, and the versions of its tools."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from lab.recording import droidrange_version, tool_versions

FROM_DETECTOR = ("capture", "contract.py", "tables.py")  # what stages take from it: the flows stage keeps its laws


@cache
def sources_sha256() -> str:
    """The hash of the code that recordings come from: a version number does not change while one is being written."""
    root, digest = Path(__file__).parents[2], hashlib.sha256()
    for path in sources(root):
        digest.update(f"{path.relative_to(root)} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def sources(root: Path) -> list[Path]:
    """The files that decide a recording: the lab's, and the detector's whose constants and laws its stages share."""
    shared = [root / "detector" / name for name in FROM_DETECTOR]
    within = [path for place in (root / "lab", *shared) for path in (place, *place.rglob("*"))]
    apart = [root / "lab" / name for name in ("report", "_scenarios")]
    found = (path for path in within if path.is_file() and path.suffix != ".pyc")
    return sorted(path for path in found if not any(path.is_relative_to(place) for place in apart))


def tools() -> str:
    """The versions of everything whose version decides the bytes of a recording."""
    return " ".join(
        f"{name}={found}" for name, found in {"droidrange": droidrange_version(), **tool_versions()}.items()
    )
