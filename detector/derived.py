"""The cache of what a capture's reading gave: Parquet beside the recording, believed only where this user signed it.

Nothing may depend on it: a cache that is absent, damaged, of another reader or user, or cannot be written is passed
over in silence, and what is partial is never put in. It lies outside the recording's manifest, so every byte of it is
proved by an HMAC under a secret that never leaves this user's state folder: a cache that came with a recording from
elsewhere is not believed but made again, and without a secret there is no cache.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from detector.cache_secret import cache_secret
from detector.tables import SCHEMAS

if TYPE_CHECKING:
    from detector.capture import Owners

EDGE_BYTES = 1 << 20
_OURS = re.compile(r"([0-9a-f]{32})\.(?:flows\.parquet|exchanges\.parquet|dns\.parquet|json)")
_UNKNOWN = ("device", "inbound", "uid", "package")

#: Columns of the tables that a capture gives; its flows are nobody's yet.
DERIVED = {
    "flows": pa.schema([field for field in SCHEMAS["flows"] if field.name not in _UNKNOWN]),
    "exchanges": SCHEMAS["exchanges"],
    "dns": SCHEMAS["dns"],
}


@dataclass(frozen=True)
class Derived:
    """The tables of a whole capture (names and columns of DERIVED), its packets, least and greatest time."""

    tables: dict[str, pa.Table]
    packets: int
    first: int | None
    last: int | None
    outside: Mapping[str, int] = field(default_factory=dict)  # what was read and is in no table, by reason
    owners: Owners | None = None  # what PCAPdroid told of apps: never cached


def cache_key(capture: Path) -> str:
    """32 hexadecimal digits that change with the capture, the reader and the tables' columns.

    The capture counts by size, modification time and the bytes of its first and last MiB, because hashing a file of
    many gigabytes costs as much as reading it: a capture changed in its middle under its old time is for the manifest
    to find. The reader counts by its own source, so that no version can be forgotten. OSError where the capture cannot
    be read.
    """
    import detector.capture

    digest = hashlib.sha256()
    about = capture.stat()
    digest.update(f"{about.st_size} {about.st_mtime_ns} {sorted(map(str, DERIVED.values()))}".encode())
    with capture.open("rb") as file:
        digest.update(file.read(EDGE_BYTES))
        file.seek(max(0, about.st_size - EDGE_BYTES))
        digest.update(file.read(EDGE_BYTES))
    for folder in detector.capture.__path__:
        for source in sorted(Path(folder).rglob("*.py")):
            digest.update(source.read_bytes())
    return digest.hexdigest()[:32]


def read_cache(folder: Path, key: str) -> Derived | None:
    """What the cache holds under the key; None where a byte of it differs from what this user wrote under that key."""
    secret = cache_secret()
    if secret is None:
        return None
    try:
        about = json.loads((folder / f"{key}.json").read_bytes())
        if not hmac.compare_digest(about["proof"], _proof(about, key, secret)):
            return None
        tables = {name: _read(folder / f"{key}.{name}.parquet", name, about) for name in DERIVED}
        return Derived(tables, about["packets"], about["first"], about["last"], about["outside"])
    except (OSError, ValueError, LookupError, TypeError, RecursionError, pa.ArrowException):
        return None


def write_cache(folder: Path, key: str, derived: Derived) -> bool:
    """Puts the tables into the folder and drops those of other keys; False where that could not be done whole."""
    secret = cache_secret()
    if secret is None or folder.is_symlink():
        return False
    about: dict[str, Any] = {name: getattr(derived, name) for name in ("packets", "first", "last", "outside")}
    try:
        folder.mkdir(exist_ok=True)
        for name, table in derived.tables.items():
            with _replacing(folder / f"{key}.{name}.parquet") as temporary:
                pq.write_table(table, temporary, compression="zstd")
                about[name] = _sha256(temporary)
        with _replacing(folder / f"{key}.json") as temporary:  # last: without it the tables do not count
            temporary.write_text(json.dumps({**about, "proof": _proof(about, key, secret)}))
    except (OSError, pa.ArrowException):
        return False
    _drop_others(folder, key)
    return True


def _read(path: Path, name: str, about: dict[str, Any]) -> pa.Table:
    """ValueError if the file is not the one that was written, or of other columns."""
    if _sha256(path) != about[name]:
        raise ValueError(f"{path}: damaged")
    table = pq.read_table(path, partitioning=None)
    if table.schema != DERIVED[name]:
        raise ValueError(f"{path}: found columns {table.schema.names}")
    return table


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _proof(about: dict[str, Any], key: str, secret: bytes) -> str:
    """HMAC-SHA256 (RFC 2104) over the key, the counts and the hashes of the tables' files."""
    told = {name: value for name, value in about.items() if name != "proof"}
    return hmac.digest(secret, json.dumps([key, told], sort_keys=True).encode(), "sha256").hex()


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """A temporary file beside ``path`` that takes its place if the block ends well, and is removed if not."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.making")
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _drop_others(folder: Path, key: str) -> None:
    with suppress(OSError):
        for path in sorted(folder.iterdir()):
            name = _OURS.fullmatch(path.name)
            if name and name[1] != key:
                path.unlink(missing_ok=True)
