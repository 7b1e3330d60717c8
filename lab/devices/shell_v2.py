"""The frames of adb's shell protocol, version 2: bytes only, no socket.

A frame is one byte of kind, four bytes of length (little endian) and the payload (AOSP, packages/modules/adb,
shell_protocol.h). The client says stdin and "stdin ends"; the device says stdout, stderr and, last, the exit code.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

STDIN, STDOUT, STDERR, EXIT, STDIN_ENDS = range(5)
MOST_PAYLOAD = 1 << 24  # adbd sends at most 1 MiB; a longer length is not this protocol
SERVICE = "shell,v2,raw:"  # raw: no terminal, so that bytes stay what they are
_HEAD = struct.Struct("<BI")


def frame(kind: int, payload: bytes = b"") -> bytes:
    """One frame."""
    return _HEAD.pack(kind, len(payload)) + payload


class FrameReader:
    """Cuts a byte stream into frames; keeps what is not yet a whole one."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """The whole frames that end in ``data``, as (kind, payload). Raises ``ValueError`` on an absurd length."""
        rest = self._rest
        rest += data
        place = 0
        while len(rest) - place >= _HEAD.size:
            kind, size = _HEAD.unpack_from(rest, place)
            if size > MOST_PAYLOAD or kind > STDIN_ENDS + 1:
                raise ValueError(f"no shell frame: kind {kind}, {size} bytes")
            end = place + _HEAD.size + size
            if end > len(rest):
                break
            yield kind, bytes(rest[place + _HEAD.size : end])
            place = end
        del rest[:place]

    @property
    def pending(self) -> int:
        """Bytes of a frame that has begun and not ended."""
        return len(self._rest)
