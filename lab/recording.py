"""A recording on disk: a folder of telemetry and truth with a manifest that proves it whole (DESIGN section 4).

The manifest, recording.json, is written last and holds no clock: its hash is the hash of the recording. A recording
that is not proved is refused, never repaired. Same scenario, seed and version give the same bytes on the wire stage;
the live stage measures a real network, so its recordings never repeat and say so (``repeatable``).
"""

from __future__ import annotations

import hashlib
import json
import re
import stat
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from lab.errors import EvidenceError, ScenarioError
from lab.parquet import write_parquet
from lab.store import write_atomic

if TYPE_CHECKING:
    from lab.truth import Truth

__all__ = [
    "Recording",
    "droidrange_version",
    "open_recording",
    "recording_hash",
    "seal",
    "write_atomic",
    "write_json",
    "write_parquet",
]

SCHEMA_VERSION = 1
MANIFEST = "recording.json"
CAPTURE = "telemetry/capture.pcap"
PARTS = ("telemetry", "truth", "lab")  # what a detector may see, what is true, and how it was made
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
AGAIN = "record it again (droidrange record ... --force), or read on with --allow-partial"
TOOLS = ("numpy", "pyarrow", "scapy", "h11", "wsproto", "dnslib")  # whose versions decide the bytes
_SPAN_AT_MOST_S = 10 * 366 * 86_400.0  # ten years: beyond, a number is damage
_KINDS: Mapping[str, type | tuple[type, ...]] = {
    "droidrange_version": str,
    "scenario": str,
    "scenario_sha256": str,
    "twin_of": str,
    "seed": int,
    "stage": str,
    "start": int,
    "span_s": (int, float),
    "speed": (int, float),
    "tools": dict,
    "files": dict,
}


@dataclass(frozen=True)
class Recording:
    """An opened recording. ``files`` maps relative paths to rows or packets, bytes and sha256."""

    folder: Path
    scenario: str
    scenario_sha256: str
    twin_of: str
    seed: int
    stage: str
    start: int  # microseconds since the epoch, UTC
    span_s: float
    speed: float
    version: str
    files: Mapping[str, Mapping[str, Any]]
    not_played: tuple[str, ...] = ()  # conditions of the scenario that the stage left out
    past: Mapping[str, float] = field(default_factory=dict)  # if it is of the days before: learn_s, poison, novel
    devices: int = 0  # phones that the scenario's fleet was enlarged to; 0: as written
    partial: str | None = None  # why nothing may be concluded from what is missing; None: proved whole

    @property
    def telemetry(self) -> Path:
        """The folder a detector may see."""
        return self.folder / "telemetry"

    def truth(self) -> Truth:
        """What was really played; EvidenceError if a table of the truth is damaged."""
        from lab.truth import read_truth

        return read_truth(self)

    def summary(self) -> dict[str, Any]:
        """What a person wants to know of it at a glance; plain JSON values."""
        who = {"recording": str(self.folder), "scenario": self.scenario, "seed": self.seed, "stage": self.stage}
        packets = self.files.get(CAPTURE, {}).get("packets")
        size = sum(entry["bytes"] for entry in self.files.values())
        what = {"span_s": self.span_s, "speed": self.speed, "packets": packets, "bytes": size}
        told = {"not_played": list(self.not_played), "past": dict(self.past), "devices": self.devices}
        what |= {key: value for key, value in told.items() if value}
        return who | what | {"sha256": recording_hash(self.folder), "partial": self.partial}


@cache
def droidrange_version() -> str:
    """The version of this package; "0+unknown" where it runs uninstalled."""
    return _version("droidrange")


def tool_versions() -> dict[str, str]:
    """The versions of everything but ourselves whose version decides the bytes of a recording."""
    return {name: _version(name) for name in TOOLS}


def recording_hash(folder: Path) -> str:
    """The sha256 of the manifest, hence of everything it vouches for."""
    return hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()


def write_json(path: Path, content: object) -> None:
    """Writes JSON for people and diffs: indented, keys in the order given; never NaN."""
    write_atomic(path, (json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode())


def seal(
    folder: Path,
    about: Mapping[str, Any],
    measured: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    reason: str = "",
) -> None:
    """Writes the manifest of a finished folder: ``about`` plus every file's count, size and sha256.

    ``measured`` holds the entries of files whose writer measured them on the way; they are not read again. With a
    ``reason`` the recording is sealed as not complete: readers refuse it with that reason, unless told to read on.
    """
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    known = measured or {}
    files = {name: known[name] if name in known else _measure(folder / name) for name in names}
    head = {"schema_version": SCHEMA_VERSION, "droidrange_version": droidrange_version()}
    end = {"complete": False, "reason": reason} if reason else {"complete": True}
    write_json(folder / MANIFEST, {**head, **about, "tools": tool_versions(), "files": files, **end})


def open_recording(folder: Path, *, allow_partial: bool = False, truth: bool = True) -> Recording:
    """Opens and proves a recording: complete, and every file of the size, hash and count its manifest says.

    Without ``truth`` that part is left shut, unproved, and may be absent: for whoever needs only what a sensor showed.

    Raises EvidenceError with the first fault; with ``allow_partial`` faults of files go to ``partial`` instead, while
    a manifest that cannot be read or names a place outside the recording is refused all the same.
    """
    manifest = _read_manifest(folder)
    why = f" ({manifest['reason']})" if manifest.get("reason") else ""
    faults = [f"{folder / MANIFEST}: found complete {manifest.get('complete')!r}, expected true{why}"]
    faults = [] if manifest.get("complete") is True else faults
    proved = [name for name in manifest["files"] if truth or not name.startswith("truth/")]
    faults += [fault for name in proved for fault in _check(folder, name, manifest["files"][name])]
    faults += _strangers(folder, manifest["files"])
    if faults and not allow_partial:
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise EvidenceError(f"{faults[0]}{more}; {AGAIN}")
    return Recording(
        folder=folder,
        **{name: manifest[name] for name in ("scenario", "scenario_sha256", "twin_of", "seed", "stage", "start")},
        span_s=manifest["span_s"],
        speed=manifest["speed"],
        version=manifest["droidrange_version"],
        files=manifest["files"],
        not_played=tuple(manifest.get("not_played", ())),
        past=manifest.get("past", {}),
        devices=manifest.get("devices", 0),
        partial="; ".join(faults) or None,
    )


@cache
def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "0+unknown"


def _read_manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_bytes())
    except FileNotFoundError:
        why = "no recording, or one that was never finished"
        raise EvidenceError(f"{path}: not found: {why}; record it again") from None
    except (OSError, ValueError, RecursionError) as fault:
        raise EvidenceError(f"{path}: unreadable ({fault}); {AGAIN}") from fault
    if not isinstance(manifest, dict) or manifest.get("schema_version") != SCHEMA_VERSION:
        found = manifest.get("schema_version") if isinstance(manifest, dict) else type(manifest).__name__
        raise EvidenceError(f"{path}: found schema_version {found!r}, expected {SCHEMA_VERSION}; {AGAIN}")
    for key, kind in _KINDS.items():
        if not isinstance(manifest.get(key), kind) or isinstance(manifest.get(key), bool):
            raise EvidenceError(f"{path}: {key}: found {manifest.get(key)!r}, expected {kind}; {AGAIN}")
    if not 0 < manifest["span_s"] < _SPAN_AT_MOST_S:  # NaN is neither
        raise EvidenceError(f"{path}: span_s: found {manifest['span_s']!r}, expected more than 0; {AGAIN}")
    for name, entry in manifest["files"].items():
        _refuse_entry(path, name, entry)
    return manifest


def _refuse_entry(path: Path, name: str, entry: object) -> None:
    parts = name.split("/")
    if parts[0] not in PARTS or len(parts) < 2 or not all(NAME.fullmatch(part) for part in parts):
        raise EvidenceError(f"{path}: found file name {name!r}, expected one of {', '.join(PARTS)}/{NAME.pattern}")
    if (
        not isinstance(entry, dict)
        or not isinstance(entry.get("bytes"), int)
        or not isinstance(entry.get("sha256"), str)
    ):
        raise EvidenceError(f"{path}: {name}: found {entry!r}, expected bytes, sha256 and rows or packets")


def _check(folder: Path, name: str, entry: Mapping[str, Any]) -> list[str]:
    """The first thing in which a file differs from its entry, in words; empty if none."""
    path = folder / name
    inside = Path(name)  # the recording's own folder may be reached through a link, nothing in it may be one
    for part in [inside, *inside.parents[:-1]]:
        if (folder / part).is_symlink():
            return [f"{folder / part}: found a symbolic link, expected a file of the recording"]
    try:
        mode = path.lstat().st_mode
    except OSError:
        return [f"{path}: not found, expected {entry['bytes']} bytes"]
    if not stat.S_ISREG(mode):
        return [f"{path}: found no regular file"]
    try:
        found = _measure(path)
    except (OSError, ValueError) as fault:
        found = {"bytes": path.stat().st_size, "sha256": _sha256(path), "unreadable": str(fault)}
    order = ("bytes", "sha256", *sorted((found.keys() | entry.keys()) - {"bytes", "sha256"}))
    wrong = [f"{path}: found {key} {found.get(key)!r}, expected {entry.get(key)!r}" for key in order]
    return [text for text, key in zip(wrong, order, strict=True) if found.get(key) != entry.get(key)][:1]


def _strangers(folder: Path, files: Mapping[str, object]) -> list[str]:
    """Files among telemetry, truth or lab that the manifest does not know; derived caches are none of its business."""
    found = []
    for path in sorted(path for part in PARTS for path in (folder / part).rglob("*")):
        name = path.relative_to(folder)
        known = name.as_posix() in files or name.parts[:2] == ("telemetry", "derived") or path.is_dir()
        if not known:
            found.append(f"{path}: found, but the manifest does not list it")
    return found


def _measure(path: Path) -> dict[str, Any]:
    """The manifest entry of a file; ValueError if its kind or structure is unknown."""
    counted: dict[str, int] = {}
    if path.suffix == ".pcap":
        counted = {"packets": _count_packets(path)}
    elif path.suffix == ".parquet":
        import pyarrow.parquet as pq

        counted = {"rows": pq.read_metadata(path).num_rows}
    else:
        with path.open("rb") as file:
            counted = {"rows": sum(not line.startswith(b"#") for line in file)}
    return {**counted, "bytes": path.stat().st_size, "sha256": _sha256(path)}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _count_packets(path: Path) -> int:
    """The records of a classic little-endian pcap, walked header by header; ValueError if it does not end on one."""
    with path.open("rb") as file:
        return _walk(file, path.stat().st_size)


def _walk(file: BinaryIO, size: int) -> int:
    import mmap

    if size < 24:
        raise ValueError(f"capture of {size} bytes has no file header")
    place, packets = 24, 0
    captured = struct.Struct("<I").unpack_from
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
        while place + 16 <= size:
            place += 16 + captured(view, place + 8)[0]
            packets += 1
    if place != size:
        raise ValueError(f"capture record {packets} ends at byte {place}, the file at {size}")
    return packets


def recording_name(folder: Path) -> str:
    """The folder's own name, if it may be a recording's; ScenarioError with the rule if not."""
    name = folder.resolve().name
    if not NAME.fullmatch(name):
        raise ScenarioError([f"recording name: found {name!r}, expected {NAME.pattern}"])
    return name
