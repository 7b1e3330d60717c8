"""What is no fault although a judge remarks on it: classes that real captures show too, or that no scenario could avoid.

A class is the judge's name and its words, as tests/bench/judges.py has them; a port ends those of Suricata.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

Class = tuple[str, ...]


@dataclass(frozen=True)
class Tolerance:
    """A class that is no fault: a pattern over its words, why, and a real capture that shows it too.

    ``lossy``: only where the scenario's network loses packets.
    """

    pattern: str
    why: str
    shown_by: str = ""
    lossy: bool = False

    def covers(self, what: Class, *, lossy: bool) -> bool:
        """Whether it covers that class in a scenario with or without loss."""
        return (lossy or not self.lossy) and re.fullmatch(self.pattern, " ".join(what)) is not None


TOLERATED = (
    Tolerance(
        r"tshark note \S+ This frame (initiates|undergoes) the connection closing", "every FIN has one", "ndpi-android"
    ),
    Tolerance(r"tshark warning TCP Connection reset \(RST\)", "some ends are resets", "ndpi-alexa-app"),
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
        lossy=True,
    ),
    Tolerance(
        r"tshark warning \S+ (Previous segment\(s\) not captured .*|ACKed segment that .*|D-SACK .*|.* out-of-order .*)",
        "the scenario loses packets",
        "ndpi-ultrasurf",
        lossy=True,
    ),
    Tolerance(
        r"tshark warning M?DNS DNS query retransmission.*", "the scenario loses packets", "ndpi-nest", lossy=True
    ),
    Tolerance(
        r"Suricata stream stream\.(est|closewait)_pkt_before_last_ack .*",
        "the scenario loses packets",
        "ndpi-alexa-app",
        lossy=True,
    ),
    Tolerance(
        r"Suricata stream stream\.fin_but_no_session .*",
        "the scenario loses packets: a FIN is sent again after the connection is forgotten, as its ACK was lost",
        lossy=True,
    ),
    Tolerance(r"tshark warning TLS\S+ Ignored Unknown Record", "a record with a hole", "ndpi-ultrasurf", lossy=True),
    Tolerance(
        r"Suricata stream stream\.pkt_.*retransmission .*", "the scenario loses packets", "ndpi-alexa-app", lossy=True
    ),
)


def untolerated(classes: Iterable[Class], *, lossy: bool = False) -> list[Class]:
    """Those classes that nothing excuses."""
    return [what for what in classes if why(what, lossy=lossy) is None]


def why(what: Class, *, lossy: bool) -> str | None:
    """Why that class is no fault in a scenario with or without loss; None if it is one."""
    return next((one.why for one in TOLERATED if one.covers(what, lossy=lossy)), None)
