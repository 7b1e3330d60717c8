"""Ways of speaking that share a script: protocol, port and options, with names of ours in place of those in them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lab.protocols import DATAGRAM
from lab.stages.flows.huffman import CODED, huffman

# texts whose lengths differ from one conversation to another; the last three are in HPACK's Huffman code
SUB, ZONE, AGENT, OPTION, CHAIN, CODED_HOST, CODED_AGENT, CODED_OPTION = range(8)
TEXTS = 8
_SUB, _ZONE, _ADDRESS = "qzw.", "calibration.example", "198.18.7.77"
_HELLO, _CHAINED = b"\x16\x03\x03", 1_500  # how a server's flight with a chain begins, and how long it is at least
_HOSTLIKE = re.compile(r"([a-z0-9_-]+\.)+[a-z]+(:\d+)?", re.IGNORECASE)
_MAILLIKE = re.compile(r"[^@\s]+@[a-z0-9.-]+", re.IGNORECASE)
_ADDRESSLIKE = re.compile(r"(\d+\.){3}\d+(:\d+)?")


@dataclass(frozen=True)
class Class:
    """A way of speaking; ``options`` as canonical says."""

    protocol: str
    port: int
    named: bool
    options: tuple[tuple[str, str], ...]
    stack: int = 0  # of a protocol with a hello of its own, or that turns to TLS under way
    browser: bool = False  # its agent names a browser, where that matters
    room: int = DATAGRAM  # of a datagram, where the path takes less than protocols like to send

    @property
    def upgrades(self) -> bool:
        """Whether it turns to TLS under way."""
        return ("starttls", "1") in self.options

    @property
    def agent(self) -> str:
        """The agent that speaks."""
        return "qzagent Chrome" if self.browser else "qzagent"

    @property
    def host(self) -> str:
        """The name or address that is called."""
        return _SUB + _ZONE if self.named else _ADDRESS


def canonical(name: str, value: str) -> tuple[str, int]:
    """An option's value with names replaced by ours, and by how many bytes it is longer than that.

    A name of two labels stays one: below it are names that nobody asked for before, beside it are not.

    >>> canonical("target", "www.shop.example:443"), canonical("zone", "shop.example"), canonical("qtype", "TXT")
    (('qzo.option.example:443', -2), ('qzo-option.example', -6), ('TXT', 0))
    """
    if name == "ttl":
        return "300", 0
    if _ADDRESSLIKE.fullmatch(value):
        made = "198.18.7.99" + value[len(value.partition(":")[0]) :]
        return made, 0 if name == "answer" else len(value) - len(made)
    if _HOSTLIKE.fullmatch(value):
        labels = value.partition(":")[0].count(".")
        made = ("qzo.option.example" if labels > 1 else "qzo-option.example") + value[len(value.partition(":")[0]) :]
    elif _MAILLIKE.fullmatch(value):
        made = "qzo@mail.example"
    elif value.startswith("/") and len(value) > 1:
        made = "/qzo"
    else:
        return value, 0
    return made, len(value) - len(made)


def texts_in(kind: Class, data: bytes) -> tuple[int, ...]:
    """How often each of SUB to CODED_OPTION is in a message."""
    host = (b"qzw", b"calibration") if kind.named else (b"\0" * 4096, _ADDRESS.encode())
    chain = int(kind.upgrades and data[:3] == _HELLO and len(data) > _CHAINED)
    if kind.protocol == "quic":
        chain = int(data[:1] >= b"\x80" and data[5:6] == b"\0")  # long headers to a client, who has no identifier
    plain = (*(data.count(one) for one in (*host, kind.agent.encode(), b"qzo")), chain)
    return (*plain, *(_coded_in(kind, data) if kind.protocol in CODED else (0, 0, 0)))


def _coded_in(kind: Class, data: bytes) -> tuple[int, int, int]:
    """How often host, agent and options' texts are in header blocks."""
    hosts = {kind.host, f"{kind.host}:{kind.port}"}
    options = {value for _, value in kind.options if "qzo" in value}
    parts = (hosts, {kind.agent}, options)
    host, agent, option = (sum(data.count(huffman(text)) for text in part) for part in parts)
    return host, agent, option
