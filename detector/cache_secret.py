"""The secret a user's caches are signed with: 32 random bytes, made once, readable by nobody else.

It never lies beside a recording: who hands one over cannot know it, so cannot sign a cache that is believed here.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path
from secrets import token_bytes, token_hex

BYTES = 32
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)


def cache_secret() -> bytes | None:
    """The user's secret, made on first use; None where there is none to trust and none can be made.

    It is ``droidrange/cache-key`` below $XDG_STATE_HOME, or below ~/.local/state where that is unset or relative
    (XDG Base Directory Specification 0.8). A file of another owner, length or wider mode than 0600 is not trusted.
    """
    try:
        folder = _state_home() / "droidrange"
        path = folder / "cache-key"
        if not path.is_symlink() and not path.exists():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _make(path)
        return _read(path)
    except (OSError, RuntimeError, ValueError):  # RuntimeError: no home; ValueError: a path with NUL
        return None


def _state_home() -> Path:
    given = Path(os.environ.get("XDG_STATE_HOME", ""))
    return given if given.is_absolute() else Path.home() / ".local" / "state"


def _make(path: Path) -> None:
    """Puts a whole new secret at the path; one that another process put there meanwhile stays."""
    temporary = path.with_name(f".{path.name}.{token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_LINK, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(token_bytes(BYTES))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _read(path: Path) -> bytes | None:
    with os.fdopen(os.open(path, os.O_RDONLY | _NO_LINK | os.O_NONBLOCK), "rb") as file:
        about = os.fstat(file.fileno())
        if not stat.S_ISREG(about.st_mode) or stat.S_IMODE(about.st_mode) & 0o077 or about.st_uid != os.geteuid():
            return None
        secret = file.read(BYTES + 1)
    return secret if len(secret) == BYTES else None
