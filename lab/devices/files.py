"""Files to and from a device: adb's sync service, version 1 (AOSP, packages/modules/adb, SYNC.TXT)."""

from __future__ import annotations

import struct

from lab.devices.smart_socket import Address, SmartSocket

_PIECE = 1 << 16  # SYNC.TXT: a chunk has at most 64 KiB
_HEAD = struct.Struct("<4sI")
_REGULAR = 0o100000
_REMEDY = "adb shell ls -ld FOLDER, is it writable?"


def push(server: Address, serial: str, data: bytes, path: str, *, mode: int = 0o644, timeout_s: float = 60.0) -> None:
    """Write ``data`` to ``path`` on the device. Raises ``DeviceError`` with the device's own words."""
    with SmartSocket(server, serial, timeout_s) as link:
        link.transport("sync:")
        link.doing = f"push {path}"
        target = f"{path},{_REGULAR | mode}".encode()
        link.send(_HEAD.pack(b"SEND", len(target)) + target)
        for place in range(0, len(data), _PIECE):
            piece = data[place : place + _PIECE]
            link.send(_HEAD.pack(b"DATA", len(piece)) + piece)
        link.send(_HEAD.pack(b"DONE", 0))
        kind, size = _HEAD.unpack(link.read(_HEAD.size))
        if kind != b"OKAY":
            raise link.fault(link.read(min(size, _PIECE)).decode(errors="replace"), _REMEDY)


def pull(server: Address, serial: str, path: str, *, timeout_s: float = 60.0) -> bytes:
    """The bytes of ``path`` on the device. Raises ``DeviceError`` with the device's own words."""
    parts: list[bytes] = []
    with SmartSocket(server, serial, timeout_s) as link:
        link.transport("sync:")
        link.doing = f"pull {path}"
        source = path.encode()
        link.send(_HEAD.pack(b"RECV", len(source)) + source)
        while True:
            kind, size = _HEAD.unpack(link.read(_HEAD.size))
            if kind == b"DONE":
                return b"".join(parts)
            if kind not in {b"DATA", b"FAIL"} or size > _PIECE:
                raise link.fault(f"no sync answer: {kind!r}, {size} bytes", _REMEDY)
            part = link.read(size)
            if kind == b"FAIL":
                raise link.fault(part.decode(errors="replace"), _REMEDY)
            parts.append(part)
