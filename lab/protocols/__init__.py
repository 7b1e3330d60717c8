"""Wire formats: each file here turns one dialogue into the bytes both sides say. No I/O, no clock, no socket.

A protocol is ``lab/protocols/<name>.py`` with ``TRANSPORT`` ("tcp" or "udp") and
``def messages(dialogue: Dialogue) -> Iterator[Message]``. ``tls.py`` wraps the messages of another protocol.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Dialogue:
    """One conversation as a protocol sees it: names, options, and its m exchanges (times in microseconds, ascending)."""

    host: str  # name of the server, or its address as text where it has no name
    port: int
    options: Mapping[str, str]
    agent: str  # the app's user agent
    time: Int64  # (m,)
    up: Int64  # (m,) bytes the client shall say, protocol headers included
    down: Int64  # (m,)
    delay: Int64  # (m,) server thinking time
    rng: np.random.Generator = field(repr=False)


@dataclass(frozen=True, slots=True)
class Message:
    """Bytes one side says at a time. A server's answer carries its time WITHOUT the round trip: the stage adds it.

    ``pushed`` marks a server message that answers nothing: its time is when the device sees it.
    """

    time: int
    from_client: bool
    data: bytes
    pushed: bool = False
