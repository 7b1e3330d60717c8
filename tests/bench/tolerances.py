"""What is no fault although a judge remarks on it: classes that real captures show too, or that no scenario could avoid.

A class is the judge's name and its words, as tests/bench/judges.py has them; a port ends those of Suricata.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

Class = tuple[str, ...]
LOSS, ROUNDS = "loss", "rounds"
PORTS = 28_000  # about so many ephemeral ports has a phone (lab/world/ports.py)


@dataclass(frozen=True)
class Tolerance:
    """A class that is no fault: a pattern over its words, why, and a real capture that shows it too.

    ``only``: where something is given: the scenario's network loses packets (LOSS), or its phones make more connections
    than one has ports (ROUNDS).
    """

    pattern: str
    why: str
    shown_by: str = ""
    only: str = ""

    def covers(self, what: Class, given: Collection[str]) -> bool:
        """Whether it covers that class in a scenario of which that is given."""
        return (not self.only or self.only in given) and re.fullmatch(self.pattern, " ".join(what)) is not None


TOLERATED = (
    Tolerance(
        r"tshark note \S+ This frame (initiates|undergoes) the connection closing", "every FIN has one", "ndpi-android"
    ),
    Tolerance(r"tshark warning TCP Connection reset \(RST\)", "some ends are resets", "ndpi-alexa-app"),
    Tolerance(
        r"tshark note TCP A new tcp session is started with the same ports as an earlier session",
        "the phone has used all its ports: they come round, now and then to the same server",
        only=ROUNDS,
    ),
    Tolerance(r"tshark note TLS\S+ This session reuses .*", "resumption is meant", "ndpi-alexa-app"),
    Tolerance(
        r"tshark warning QUIC Failed to create decryption context: Secrets are not available", "nobody has the keys"
    ),
    Tolerance(
        r"Suricata applayer APPLAYER_DETECT_PROTOCOL_ONLY_ONE_DIRECTION smtp .*",
        "Suricata knows only the client's side of SMTP",
        "ndpi-smtp",
    ),
    Tolerance(
        r"Suricata applayer APPLAYER_DETECT_PROTOCOL_ONLY_ONE_DIRECTION dcerpc .*",
        "Suricata has no SOCKS, and takes 05 00 for DCE/RPC",
        "ndpi-socks",
    ),
    Tolerance(
        r"tshark note \S+ (Duplicate ACK .*|This frame is a \(suspected\) .*retransmission)",
        "the scenario loses packets",
        "ndpi-alexa-app",
        only=LOSS,
    ),
    Tolerance(
        r"tshark warning \S+ (Previous segment\(s\) not captured .*|ACKed segment that .*|D-SACK .*|.* out-of-order .*)",
        "the scenario loses packets",
        "ndpi-ultrasurf",
        only=LOSS,
    ),
    Tolerance(r"tshark warning M?DNS DNS query retransmission.*", "the scenario loses packets", "ndpi-nest", only=LOSS),
    Tolerance(
        r"Suricata stream stream\.(est|closewait)_pkt_before_last_ack .*",
        "the scenario loses packets",
        "ndpi-alexa-app",
        only=LOSS,
    ),
    Tolerance(
        r"Suricata stream stream\.fin_but_no_session .*",
        "the scenario loses packets: a FIN is sent again after the connection is forgotten, as its ACK was lost",
        only=LOSS,
    ),
    Tolerance(r"tshark warning TLS\S+ Ignored Unknown Record", "a record with a hole", "ndpi-ultrasurf", only=LOSS),
    Tolerance(
        r"Suricata stream stream\.pkt_.*retransmission .*", "the scenario loses packets", "ndpi-alexa-app", only=LOSS
    ),
)


def given(*, lossy: bool, conversations: int) -> frozenset[str]:
    """What is given of a scenario that loses packets, or on a phone of which so many conversations may be."""
    found = {LOSS: lossy, ROUNDS: conversations > PORTS}
    return frozenset(name for name, holds in found.items() if holds)


def untolerated(classes: Iterable[Class], of: Collection[str] = ()) -> list[Class]:
    """Those classes that nothing excuses."""
    return [what for what in classes if why(what, of) is None]


def why(what: Class, of: Collection[str]) -> str | None:
    """Why that class is no fault in a scenario of which that is given; None if it is one."""
    return next((one.why for one in TOLERATED if one.covers(what, of)), None)
