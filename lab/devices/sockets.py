"""Sockets as /proc/net tells them: who owns what is open at this moment. Pure text, and one sampling call.

For devices without NFLOG. Rows are samples: what opens and closes between two looks is never seen (a look every quarter
of a second saw 1 of 2000 short connections), and sockets in TIME_WAIT belong to uid 0.
"""

from __future__ import annotations

import ipaddress
import re
import struct
from dataclasses import dataclass
from typing import Protocol

_TABLES = ("tcp", "tcp6", "udp", "udp6")
_MARK = "==droidrange "
SAMPLE_COMMAND = "; ".join(f"echo '{_MARK}{table}'; cat /proc/net/{table} 2>/dev/null" for table in _TABLES)
_ROW = re.compile(
    r"^\s*\d+: ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) ([0-9A-F]{2}) "
    r"\S+ \S+ \S+\s+(\d{1,10})\s+\d+\s+(\d{1,10})\b",
    re.MULTILINE,
)
# include/net/tcp_states.h; UDP has 01 (connected) and 07 (not)
_STATES = {
    "01": "established", "02": "syn-sent", "03": "syn-received", "04": "fin-wait-1", "05": "fin-wait-2",
    "06": "time-wait", "07": "close", "08": "close-wait", "09": "last-ack", "0A": "listen", "0B": "closing",
}  # fmt: skip


@dataclass(frozen=True)
class Socket:
    """One open socket. ``peer`` is ``None`` where it has none (listening, unconnected UDP)."""

    proto: str  # tcp | udp
    uid: int | None  # None in TIME_WAIT: the kernel says 0, which is not its owner
    local: tuple[str, int]
    peer: tuple[str, int] | None
    state: str
    inode: int
    sampled: bool = True  # always: a table of /proc is a sample, and whoever reads the row must know


class Shell(Protocol):
    """The part of a phone that is needed here."""

    def shell(self, words: str, timeout_s: float = 10.0) -> str:
        """Stdout of a command."""
        ...


def sampled_sockets(phone: Shell) -> tuple[Socket, ...]:
    """What is open on the device right now. Raises ``DeviceError`` when the device does not answer."""
    parts = re.split(rf"^{re.escape(_MARK)}(\w+)\r?$", phone.shell(f"{SAMPLE_COMMAND}; true"), flags=re.MULTILINE)
    return tuple(
        row for table, text in zip(parts[1::2], parts[2::2], strict=True) for row in parse_sockets(table, text)
    )


def parse_sockets(table: str, text: str) -> tuple[Socket, ...]:
    """The rows of one table (``tcp``, ``tcp6``, ``udp``, ``udp6``); lines of another form are passed over."""
    rows = []
    for local, local_port, peer, peer_port, state, uid, inode in _ROW.findall(text):
        far = (_address(peer), int(peer_port, 16))
        name = _STATES.get(state, state)
        rows.append(
            Socket(
                proto=table[:3],
                uid=None if name == "time-wait" else int(uid),
                local=(_address(local), int(local_port, 16)),
                peer=far if far[1] else None,
                state=name,
                inode=int(inode),
            )
        )
    return tuple(rows)


def _address(digits: str) -> str:
    """Four-byte words in the order of a little-endian machine, as every Android is; mapped IPv4 as IPv4."""
    words = [int(digits[place : place + 8], 16) for place in range(0, len(digits), 8)]
    address = ipaddress.ip_address(struct.pack(f"<{len(words)}I", *words))
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).compressed
