"""Which connections are open: logged packets and destroyed sockets in, events out. No socket and no clock here.

``bytes_up`` runs from client to server: of an accepted connection it is what the device received. TCP payload is
counted by the socket, once however often it was sent; where the peer ended with FIN, received bytes are the distance of
its sequence numbers, because the socket counts the FIN as a byte, and only if it still was there to see it. The kernel
tells of a UDP socket's end up to 0.1 s late: one that takes its port for the same peer before is the same connection.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from lab.stages.live.topology.image.diag import Gone, Heard
from lab.stages.live.topology.image.logged import FIN, SYN, End, Logged

Event = dict[str, Any]
Key = tuple[str, End, End]  # protocol, local, peer
Owner = Callable[[str, End], int | None]  # protocol and local end -> uid of who listens there
_WRAP = 1 << 32


@dataclass
class Open:
    """A connection that has not ended: owner, direction, sequence numbers of both SYNs, bytes up to the peer's FIN."""

    uid: int | None
    inbound: bool
    first: int
    peer_first: int | None = None
    received: int | None = None


class Tracker:
    """The open connections and listeners of one device."""

    def __init__(self) -> None:
        self.open: dict[Key, list[Open]] = {}  # oldest first: ports are used again before the kernel tells of the end
        self.heard: dict[tuple[str, End], int] = {}

    def logged(self, packet: Logged, owner: Owner) -> Event | None:
        """The event that a logged packet tells of, if it is more than a repetition."""
        local, peer = (packet.target, packet.source) if packet.inward else (packet.source, packet.target)
        key = (packet.proto, local, peer)
        known = self.open[key][-1] if key in self.open else None
        if packet.inward and known and not (known.inbound and packet.flags & SYN):
            _note_peer(known, packet)
            return None
        if (packet.proto == "tcp" and not packet.flags & SYN) or (known and known.first == packet.tcp_sequence):
            return None
        uid = owner(packet.proto, local) if packet.inward else packet.uid
        if packet.inward and uid is None:
            return None  # nobody listens there
        begun = Open(uid, packet.inward, packet.tcp_sequence, packet.tcp_sequence if packet.inward else None)
        self.open.setdefault(key, []).append(begun)
        return _event("accept" if packet.inward else "connect", packet.proto, uid, local, peer)

    def gone(self, socket: Gone) -> list[tuple[Key, Open]]:
        """The connections that end with this socket: one, or all of an unconnected UDP socket's port."""
        key = (socket.proto, socket.local, socket.peer)
        if key in self.open:
            return [(key, self.take(key))]
        if socket.peer[1]:
            return []
        # a socket without a peer: one of UDP that spoke to many, or one of TCP that was refused and forgot its peer
        keys = [
            one
            for one, connections in self.open.items()
            if (one[0], one[1][1]) == (socket.proto, socket.local[1])
            and (one[0] == "udp" or (not connections[0].inbound and connections[0].peer_first is None))
        ]
        return [(one, self.take(one)) for one in keys]

    def take(self, key: Key) -> Open:
        """The oldest open connection between two ends, open no more; KeyError if there is none."""
        connections = self.open[key]
        oldest = connections.pop(0)
        if not connections:
            del self.open[key]
        return oldest

    def listening(self, now: Iterable[Heard]) -> list[Event]:
        """The listeners that came and went since the last time."""
        current = {(one.proto, one.local): one.uid for one in now}
        came = [_event("listen", *_who(one, uid)) for one, uid in sorted(current.items()) if one not in self.heard]
        went = [_event("close", *_who(one, uid)) for one, uid in sorted(self.heard.items()) if one not in current]
        self.heard = current
        return went + came


def closed(key: Key, connection: Open, sent: int | None, received: int | None) -> Event:
    """The close of a connection that carried so many bytes out of and into the device; None: not counted."""
    into = connection.received if connection.received is not None else received
    up, down = (into, sent) if connection.inbound else (sent, into)
    return _event("close", key[0], connection.uid, key[1], key[2]) | {"bytes_up": up, "bytes_down": down}


def _note_peer(known: Open, packet: Logged) -> None:
    if packet.flags & SYN:
        known.peer_first = packet.tcp_sequence
    if packet.flags & FIN and known.peer_first is not None:
        known.received = (packet.tcp_sequence + packet.payload - known.peer_first - 1) % _WRAP


def _who(one: tuple[str, End], uid: int) -> tuple[str, int, End, None]:
    return one[0], uid, one[1], None


def _event(name: str, proto: str, uid: int | None, local: End, peer: End | None) -> Event:
    return {
        "event": name,
        "proto": proto,
        "uid": uid,
        "local": list(local),
        "peer": list(peer) if peer else None,
        "bytes_up": None,
        "bytes_down": None,
    }
