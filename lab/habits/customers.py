"""Customers of a relay: whose requests pass through a phone, to which places, when, how large and how long held.

The same for every kind of relay; it knows neither tunnels nor listeners. Streams are what browsers and crawlers make:
short TLS conversations with a few requests (sizes as in lab/habits/pages.py). All columns, no loop over streams.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lab.behaviours import SECOND, Bool, Int64
from lab.habits.clock import poisson, thinking
from lab.habits.draft import Draft
from lab.habits.longflow import words
from lab.habits.pages import answer_sizes

#: Bytes of a TLS handshake in the pool of lab/protocols/tls, to the server and back: medians of its TLS 1.3 shapes.
HANDSHAKE_UP, HANDSHAKE_DOWN = 600, 3_400
LARGEST = 20_000  # bytes of an answer, at most: keeps a day small
RECORD = 1 << 14  # RFC 8446 section 5.1
RECORD_OVERHEAD = 22  # 5 B of header, 1 B of content type, 16 B of tag (RFC 8446 section 5.2)
#: What the batch cannot know and a relay cannot be faster than: the round trip to a place (lab.world.cast draws 8 to
#: 140 ms, mobile networks add 25; two of them make a TLS 1.3 connection), and looking its name up (lab.world.assembly:
#: log-normal, 97 % within this).
WAY = 170_000
LOOKUP = 80_000
#: What customers' programs agree on by ALPN (RFC 7301), in which shares: most are browsers and apps, whose HTTP stacks
#: speak HTTP/2 to most of the web (three quarters of its requests: HTTP Archive, Web Almanac, from memory); crawlers,
#: scripts and whoever meets an old server HTTP/1.1; the oldest, and protocols of their own, name none (our choice).
AGREED = {"h2": 0.7, "http/1.1": 0.2, "": 0.1}
#: HTTP/2 begins with the client's preface, SETTINGS and WINDOW_UPDATE, which leave with its first request, in bytes as
#: Chrome and as OkHttp say them; the server's SETTINGS, acknowledgement and WINDOW_UPDATE come back, and the client's
#: acknowledgement goes before the answer, whoever carries them (RFC 9113 sections 3.4 and 6.5; lab/protocols/http2.py).
PREFACES, SETTINGS, ACKNOWLEDGED = (70, 52), 49, 9
SETTINGS_US = (300, 2_000)  # a server's reaction to the preface
MOST_REQUESTS = 8
FEWEST_THINK = 150_000  # a customer's own round trip lies between an answer and his next request


@dataclass(frozen=True)
class Streams:
    """n relayed conversations, ascending by ``asked``, and their m requests, ascending within each; times in us.

    On the customers' side of the phone a stream is ``asked`` for with its ClientHello, and has its handshake back when
    ``shaken``; requests come at ``time`` and are ``answered``. On the far side the phone connects when ``opened`` and
    passes requests on when ``passed``. No TLS is counted in ``up`` and ``down``. Where HTTP/2 is spoken the first
    request is answered with SETTINGS, and its answer comes to the second, which acknowledges them.
    """

    customer: Int64  # (n,)
    destination: Int64  # (n,) by rank: 0 is asked for most often
    asked: Int64  # (n,)
    opened: Int64  # (n,)
    shaken: Int64  # (n,)
    of: Int64  # (m,) index into 0..n-1
    time: Int64  # (m,)
    passed: Int64  # (m,)
    answered: Int64  # (m,)
    up: Int64  # (m,)
    down: Int64  # (m,)
    delay: Int64  # (m,) thinking of the place

    def __len__(self) -> int:
        return len(self.asked)

    @property
    def ends(self) -> Int64:
        """(n,) when the customer has his last answer."""
        last = np.zeros(len(self), dtype=np.int64)
        last[self.of] = self.answered  # ascending: the last one stays
        return last

    def only(self, kept: Bool) -> Streams:
        """The streams so marked, with their requests."""
        rows = kept[self.of]
        rank = np.cumsum(kept) - 1
        heads = {name: getattr(self, name)[kept] for name in ("customer", "destination", "asked", "opened", "shaken")}
        names = ("time", "passed", "answered", "up", "down", "delay")
        return Streams(**heads, of=rank[self.of[rows]], **{name: getattr(self, name)[rows] for name in names})


@dataclass(frozen=True)
class Demand:
    """What customers want of a relay. ``lag_ms``: mean of the exponential time it holds each message, either way.

    ``setup`` microseconds pass before the phone knows what is asked for: a connection it has to make first.
    """

    per_hour: float
    customers: int
    destinations: int
    lag_ms: float = 0.0
    largest: int = LARGEST
    setup: int = 0

    def streams(self, rng: np.random.Generator, intervals: Int64, http2: Bool | None = None) -> Streams:
        """Streams asked for in the intervals: a Poisson process; customers in turns, places by rank (Zipf, 0.7).

        ``http2``: (customers,) whose programs speak it (``speaking``); None: nobody's.
        """
        asked = poisson(rng, self.per_hour, intervals)
        n = len(asked)
        weights = 1.0 / np.arange(1, self.destinations + 1) ** 0.7
        opened = asked + self._held(rng, n) + self.setup + LOOKUP
        shaken = opened + 2 * WAY + self._held(rng, n)
        customer = rng.integers(0, self.customers, n)
        greets = np.zeros(n, dtype=np.bool_) if http2 is None else http2[customer]
        counts = np.minimum(1 + rng.geometric(0.5, n), MOST_REQUESTS) + greets
        of = np.repeat(np.arange(n), counts)
        m = len(of)
        firsts: Int64 = np.cumsum(counts) - counts
        delay, thought = thinking(rng, m), _thought(rng, firsts, m)
        up, down = rng.integers(250, 1_400, m), answer_sizes(rng, m, self.largest)
        greeting: Int64 = firsts[greets]
        up[greeting] += np.array(PREFACES)[customer[greets] % len(PREFACES)]
        up[greeting + 1], down[greeting] = ACKNOWLEDGED, SETTINGS
        delay[greeting] = rng.integers(*SETTINGS_US, len(greeting))
        thought[greeting + 1] = FEWEST_THINK
        onward, back = self._held(rng, m), self._held(rng, m) + delay + WAY
        turns = np.cumsum(thought + onward + back)  # one after the other, all streams in a row
        answered = (shaken - np.concatenate([[0], turns])[firsts])[of] + turns
        return Streams(
            customer=customer,
            destination=rng.choice(self.destinations, size=n, p=weights / weights.sum()),
            asked=asked,
            opened=opened,
            shaken=shaken,
            of=of,
            time=answered - back - onward,
            passed=answered - back,
            answered=answered,
            up=up,
            down=down,
            delay=delay,
        )

    def _held(self, rng: np.random.Generator, count: int) -> Int64:
        return (1_000 + rng.exponential(self.lag_ms * 1_000.0, count)).astype(np.int64)


def places(rng: np.random.Generator, draft: Draft, count: int, towards: str, tail: float) -> Int64:
    """(count,) new peers of that reach; of popular ones a share ``tail`` is of the long tail instead, as the web is."""
    rare = rng.random(count) < (tail if towards == "popular" else 0.0)
    peers = [draft.peer("tail", passing=True) if one else draft.peer(towards) for one in rare.tolist()]
    return np.array(peers, dtype=np.int64)


def programs(rng: np.random.Generator, draft: Draft, customers: int, *, one_stack: bool = False) -> Int64:
    """(customers,) new speeches: the TLS of each customer's program, by the ALPN of AGREED; with ``one_stack`` one."""
    drawn = rng.choice(list(AGREED), size=1 if one_stack else customers, p=list(AGREED.values())).tolist()
    speech = {}
    for alpn in dict.fromkeys(drawn):
        speech[alpn] = draft.speech("opaque", tls=True, port=443, carried="1", **({"alpn": alpn} if alpn else {}))
    return np.array([speech[alpn] for alpn in drawn] * (customers if one_stack else 1), dtype=np.int64)


def speaking(draft: Draft, speech: Int64) -> Bool:
    """(customers,) whose programs, of ``programs``, speak HTTP/2."""
    return np.array([draft.speeches[one].options.get("alpn") == "h2" for one in speech.tolist()], dtype=np.bool_)


def passed_on(
    draft: Draft, speech: Int64, there: Int64, streams: Streams, *, linger: int = SECOND, one_stack: bool = False
) -> None:
    """The phone's own conversation of each stream, with its place among the peers ``there``, put into the draft.

    ``speech``: of each customer (``programs``). Their TLS has the shape of the customer's, for it passes through; with
    ``one_stack`` it is the phone's.
    """
    said = words(streams.passed, streams.up, streams.down, streams.delay)
    stack = -1 if one_stack else streams.customer
    how, where = speech[streams.customer], there[streams.destination]
    draft.talks(how, where, streams.opened, (streams.of, said), linger=linger, stack=stack)


def _thought(rng: np.random.Generator, firsts: Int64, count: int) -> Int64:
    """How long customers think before each request; before a stream's first one not at all."""
    thought = FEWEST_THINK + (rng.lognormal(np.log(0.8), 0.9, count) * SECOND).astype(np.int64)
    thought[firsts] = FEWEST_THINK
    return thought


def sealed(size: Int64) -> Int64:
    """Bytes on the wire of application data of that size, under TLS 1.3."""
    records = np.maximum(-(-size // RECORD), 1)
    whole: Int64 = size + records * RECORD_OVERHEAD
    return whole
