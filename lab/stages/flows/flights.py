"""The TLS handshake around a conversation: bytes of its flights, and what a sensor reads in its hello.

Each client shape shakes hands once in memory with a server whose name is as long; what real certificate chains add is
computed for each name, as lab/protocols/tls.py does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from detector.capture.names import Names, identify
from lab.protocols import Message
from lab.protocols.handshakes import APPLICATION, Manner
from lab.protocols.tls import able, chain_bytes, closing, wrap
from lab.stages.seeds import generator, states_of

_ZONE, _ADDRESS = ".example", "198.18.7.77"


@dataclass(frozen=True)
class Flights:
    """ClientHello, the server's flight, the client's Finished, the server's last words: bytes of each, and the rest.

    ``chained``: the server's flight carries a chain, so it grows by what the name's chain has more than ours. A client
    that goes ``at_once`` speaks behind its Finished, others wait for the last words. ``overhead`` is what a record adds
    to its plaintext, its header included; ``goodbye`` the closing alert.
    """

    sizes: tuple[int, int, int, int]
    chained: bool
    at_once: bool
    overhead: int
    goodbye: int
    read: Names
    host: str

    def chain(self, name: str) -> int:
        """By how many bytes the server's flight to that name is longer than ``sizes`` says."""
        return chain_bytes(name) - chain_bytes(self.host) if self.chained else 0


@lru_cache(maxsize=65536)
def flights_of(stack: int, length: int, alpn: str, manner: Manner, variant: int = 0) -> Flights:
    """The flights of a shape and a name of that length in clear, 0 for none; of ``manner`` all but the name counts.

    ``variant``: clients that draw their hello anew each time say another one.
    """
    host = _name(length, "x") if length else _ADDRESS
    manner = replace(manner, sni=None)
    hello = alpn, manner, variant
    said = _wrapped(stack, host, hello)
    sizes = [len(one.data) for one in said]
    unlike = _name(length, "y") if length else "198.18.7.79"
    other = [len(one.data) for one in _wrapped(stack, unlike, hello)]
    sealed = sum(len(one.data) for one in _wrapped(stack, host, hello, 1)) - sum(sizes)
    alert = closing(0, stack=able(stack, manner), from_client=True, rng=_rng(0)).data
    return Flights(
        sizes=(sizes[0], sizes[1], sizes[2], sizes[3] if len(sizes) > 3 else 0),
        chained=other[1] != sizes[1],
        at_once=alert[0] == APPLICATION or bool(manner.resume),
        overhead=sealed - 1,
        goodbye=len(alert),
        read=identify("tcp", 40_000, 443, said[0].data, said[1].data),
        host=host,
    )


def _wrapped(stack: int, host: str, hello: tuple[str, Manner, int], said: int = 0) -> list[Message]:
    """A handshake, and one message of so many bytes."""
    alpn, manner, variant = hello
    messages = [Message(10**15, True, bytes(said))] if said else []
    return list(wrap(messages, host=host, stack=stack, alpn=alpn, rng=_rng(variant), start=0, manner=manner))


def _rng(seed: int) -> np.random.Generator:
    return generator(states_of(np.array([seed + 1], dtype=np.int64))[0])


def _name(length: int, letter: str) -> str:
    """A host name of that many bytes, 9 at least.

    >>> len(_name(24, "x")), len(_name(9, "x"))
    (24, 9)
    """
    return letter * max(1, length - len(_ZONE)) + _ZONE
