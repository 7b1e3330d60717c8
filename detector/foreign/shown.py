"""Folders that a foreign program is shown whole: none with a recording in it, whose truth it would see."""

from __future__ import annotations

from pathlib import Path

RECORDING = "recording.json"


def shown(folder: Path) -> Path:
    """The folder; LookupError if a recording lies anywhere in it."""
    found = next(folder.rglob(RECORDING), None)
    if found is not None:
        where = found.parent.relative_to(folder.parent)
        raise LookupError(
            f"found the recording {where} in {folder.name}, all of which the detector would see, truth and all; "
            "expected no recording in it, so keep runs elsewhere (-o)"
        )
    return folder
