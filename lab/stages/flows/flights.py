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
_SHORT, _LONG = 9, 72  # lengths of names that are tried


@dataclass(frozen=True)
class Flights:
    """ClientHello, the server's flight, the client's Finished, the server's last words: bytes of each, and the rest.

    ``chained``: the server's flight carries a chain, so it grows by what the name's chain has more than ours. A client
    that goes ``at_once`` speaks behind its Finished, others wait for the last words. ``overhead`` is what a record adds
    to its plaintext, its header included; ``goodbye`` the closing alert. The Finished of one who ``waits`` leaves with
    its first request, if both are somebody else's.
    """

    sizes: tuple[int, int, int, int]
    chained: bool
    at_once: bool
    overhead: int
    goodbye: int
    read: Names
    host: str
    waits: bool = False

    def chain(self, name: str) -> int:
        """By how many bytes the server's flight to that name is longer than ``sizes`` says."""
        return chain_bytes(name) - chain_bytes(self.host) if self.chained else 0


@dataclass(frozen=True)
class _Manners:
    """What does not depend on the name: see Flights."""

    chained: bool
    at_once: bool
    overhead: int
    goodbye: int


@lru_cache(maxsize=65536)
def flights_of(stack: int, length: int, alpn: str, manner: Manner, variant: int = 0) -> Flights:
    """The flights of a shape and a name of that length in clear, 0 for none; of ``manner`` all but the name counts.

    ``variant``: which of its hellos a client says that draws anew each time. Lengths of names between two that were
    tried are not tried if they make no difference, or all the difference.
    """
    if manner.carried:
        return replace(flights_of(stack, length, alpn, replace(manner, carried=False), variant), waits=True)
    hello = alpn, replace(manner, sni=None), variant
    if length and _SHORT < length < _LONG:
        short, long = (_tried(stack, one, hello) for one in (_SHORT, _LONG))
        alike = short.sizes[2:] == long.sizes[2:] and short.sizes[1] + _more(short, long.host) == long.sizes[1]
        if alike and long.sizes[0] - short.sizes[0] in {0, _LONG - _SHORT}:
            name = _name(length, "x")
            grown = short.sizes[0] + (length - _SHORT if long.sizes[0] > short.sizes[0] else 0)
            sizes = (grown, short.sizes[1] + _more(short, name), *short.sizes[2:])
            return replace(short, sizes=sizes, read=replace(short.read, sni=name), host=name)
    return _tried(stack, length, hello)


def _more(known: Flights, name: str) -> int:
    """By how many bytes the server's flight to another name of ours is longer."""
    return chain_bytes(name) - chain_bytes(known.host) if known.chained else 0


@lru_cache(maxsize=65536)
def _tried(stack: int, length: int, hello: tuple[str, Manner, int]) -> Flights:
    """A handshake with a name of that length, measured."""
    host = _name(length, "x") if length else _ADDRESS
    said = _wrapped(stack, host, hello)
    sizes = [len(one.data) for one in said]
    known = _manners(stack, hello)
    return Flights(
        sizes=(sizes[0], sizes[1], sizes[2], sizes[3] if len(sizes) > 3 else 0),
        chained=known.chained,
        at_once=known.at_once,
        overhead=known.overhead,
        goodbye=known.goodbye,
        read=identify("tcp", 40_000, 443, said[0].data, said[1].data),
        host=host,
    )


@lru_cache(maxsize=4096)
def _manners(stack: int, hello: tuple[str, Manner, int]) -> _Manners:
    host = _name(20, "x")
    one, other = ([len(said.data) for said in _wrapped(stack, name, hello)] for name in (host, _name(20, "y")))
    sealed = sum(len(said.data) for said in _wrapped(stack, host, hello, 1)) - sum(one)
    alert = closing(0, stack=able(stack, hello[1]), from_client=True, rng=_rng()).data
    at_once = alert[0] == APPLICATION or bool(hello[1].resume)
    return _Manners(one[1] != other[1], at_once, sealed - 1, len(alert))


def _wrapped(stack: int, host: str, hello: tuple[str, Manner, int], said: int = 0) -> list[Message]:
    """A handshake, and one message of so many bytes."""
    alpn, manner, variant = hello
    messages = [Message(10**15, True, bytes(said))] if said else []
    made = wrap(messages, host=host, stack=stack, alpn=alpn, rng=_rng(), start=0, manner=manner, variant=variant)
    return list(made)


def _rng() -> np.random.Generator:
    return generator(states_of(np.array([1], dtype=np.int64))[0])


def _name(length: int, letter: str) -> str:
    """A host name of that many bytes, 9 at least.

    >>> len(_name(24, "x")), len(_name(9, "x"))
    (24, 9)
    """
    return letter * max(1, length - len(_ZONE)) + _ZONE
