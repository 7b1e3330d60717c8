"""The outer side: every frame that a container of a lab sends on its link, seen from this machine, and its verdict.

A container's link ends in an interface of this machine, a port of the lab's bridge: what does not pass there has not
left. On all other interfaces nothing of the lab may be seen at all. Needs the right to open a packet socket.
"""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Self

from lab.stages.live.topology.addresses import CONTROL_PORT
from lab.stages.live.topology.image.rules import ADB_PORT, VXLAN_PORT

_ALL_PROTOCOLS, _OUTGOING = 0x0003, 4
_SOL_PACKET, _STATISTICS = 263, 6
_MOST = 200_000
_EXAMPLES = 20
_ARP, _IPV4 = 0x0806, 0x0800
_TCP, _UDP = 6, 17


@dataclass(frozen=True)
class Inside:
    """What belongs to a lab: MAC -> name of its containers, its underlay, the host's address there."""

    names: Mapping[str, str]
    subnet: IPv4Network
    host: str
    members: Collection[str]


@dataclass(frozen=True)
class Frame:
    """A frame as seen: interface, whether it came in there, and its first bytes."""

    interface: str
    inward: bool
    data: bytes


def verdict(frame: bytes, inside: Inside) -> str:
    """What a frame that a lab's container sent is: arp, vxlan, adb, control, or ``leak: ...``."""
    kind = int.from_bytes(frame[12:14])
    if kind == _ARP:
        return "arp"
    if kind != _IPV4 or len(frame) < 34:
        return f"leak: frame of type {kind:#06x}"
    target, proto = str(IPv4Address(frame[30:34])), frame[23]
    header = 14 + (frame[14] & 15) * 4
    if proto not in {_TCP, _UDP} or len(frame) < header + 4:
        return f"leak: protocol {proto} to {target}"
    source_port, target_port = struct.unpack_from(">HH", frame, header)
    if proto == _UDP and target_port == VXLAN_PORT and target in inside.members:
        return "vxlan"
    if proto == _TCP and target == inside.host and source_port in {ADB_PORT, CONTROL_PORT}:
        return "adb" if source_port == ADB_PORT else "control"
    return f"leak: {'tcp' if proto == _TCP else 'udp'} from port {source_port} to {target}:{target_port}"


def judged(frames: list[Frame], ports: Collection[str], inside: Inside, bridge: str, nonce: bytes) -> dict[str, object]:
    """Counts of what the containers sent, and the leaks, each with who and where; frames of others are not counted.

    ``ports`` are the bridge's interfaces; the canary is known by a name in ``inside`` that is no member.
    """
    counts: dict[str, int] = {}
    leaks: dict[str, int] = {}
    for frame in frames:
        sender = inside.names.get(frame.data[6:12].hex(":"))
        if frame.interface in ports:
            if not frame.inward or sender is None:
                continue
            found = sender if sender == "canary" else verdict(frame.data, inside)
        elif frame.interface == bridge or not _of_the_lab(frame.data, inside, nonce):
            continue
        else:
            found = f"leak: seen on {frame.interface}"
        if found.startswith("leak: "):
            text = f"{sender or 'somebody'}: {found.removeprefix('leak: ')}"
            leaks[text] = leaks.get(text, 0) + 1
        else:
            counts[found] = counts.get(found, 0) + 1
    listed = [f"{text} ({times})" for text, times in sorted(leaks.items())[:_EXAMPLES]]
    return {"frames": dict(sorted(counts.items())), "leaked": sum(leaks.values()), "leaks": listed}


def _of_the_lab(data: bytes, inside: Inside, nonce: bytes) -> bool:
    """Whether a frame on a foreign interface comes from the lab's underlay or carries what only its attempts say."""
    source = IPv4Address(data[26:30]) if int.from_bytes(data[12:14]) == _IPV4 and len(data) >= 34 else None
    return nonce in data or (source is not None and source in inside.subnet and str(source) != inside.host)


class Watch:
    """Collects the frames of all interfaces while the context lasts; ``able`` is False without the right to."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self.dropped = 0
        self.able = True
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._collect, name="outer watch", daemon=True)

    def __enter__(self) -> Self:
        """Begins."""
        try:
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ALL_PROTOCOLS))
        except OSError:
            self.able = False
            return self
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self._socket.settimeout(0.1)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Ends, and counts what the kernel had to leave out."""
        if not self.able:
            return
        self._stopping.set()
        self._thread.join()
        self.dropped += struct.unpack("=II", self._socket.getsockopt(_SOL_PACKET, _STATISTICS, 8))[1]
        self._socket.close()

    def _collect(self) -> None:
        while not self._stopping.is_set():
            try:
                data, (name, _protocol, kind, *_rest) = self._socket.recvfrom(512)
            except TimeoutError:
                continue
            if len(self.frames) < _MOST:
                self.frames.append(Frame(name, kind != _OUTGOING, data))
            else:
                self.dropped += 1


def bridge_of(network_id: str) -> str:
    """The name the engine gives a bridge of its own."""
    return f"br-{network_id[:12]}"


def ports_of(bridge: str) -> list[str]:
    """The interfaces of a bridge of this machine; none if it is not here."""
    folder = Path("/sys/class/net") / bridge / "brif"
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
