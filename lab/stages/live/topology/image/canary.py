"""The canary: a container on the underlay without rules of ours, that answers whoever reaches it and says who did.

It is another gateway, a neighbour and the negative control in one: what is shut off from it for the lab's containers,
it can do itself. ``python3 -m ...canary TOKEN PORT``; prints ``listening``, and on SIGTERM a JSON object: source MAC ->
count of frames of each kind (``arp``, ``other``) that came to its interface.
"""

from __future__ import annotations

import json
import select
import signal
import socket
import sys

_ALL_PROTOCOLS, _ARP, _OUTGOING = 0x0003, 0x0806, 4


class Canary:
    """Listeners of both transports and a view of every frame."""

    def __init__(self, token: str, port: int) -> None:
        self.token = token.encode()
        self.frames: dict[str, dict[str, int]] = {}
        self.stopping = False
        self.tcp = socket.create_server(("", port), backlog=64)
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("", port))
        self.wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ALL_PROTOCOLS))

    def stop(self, *_: object) -> None:
        """Asks for the end."""
        self.stopping = True

    def step(self, wait_s: float) -> None:
        """Answers what waits."""
        ready, _, _ = select.select([self.tcp, self.udp, self.wire], [], [], wait_s)
        try:
            if self.tcp in ready:
                with self.tcp.accept()[0] as opened:
                    opened.sendall(self.token)
            if self.udp in ready:
                self.udp.sendto(self.token, self.udp.recvfrom(2048)[1])
        except OSError:
            pass  # whoever asked has left
        if self.wire in ready:
            frame, (name, protocol, kind, *_rest) = self.wire.recvfrom(2048)
            if kind != _OUTGOING and name != "lo":
                counts = self.frames.setdefault(frame[6:12].hex(":"), {"arp": 0, "other": 0})
                counts["arp" if protocol == _ARP else "other"] += 1


def main(words: list[str]) -> int:
    """The command line: runs until SIGTERM."""
    canary = Canary(words[0], int(words[1]))
    signal.signal(signal.SIGTERM, canary.stop)
    print("listening", flush=True)  # noqa: T201 - its output
    while not canary.stopping:
        canary.step(0.1)
    canary.step(0)
    print(json.dumps(canary.frames), flush=True)  # noqa: T201 - its output
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
