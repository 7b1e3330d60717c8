"""Who takes part: phones, servers, names, addresses, user agents and TLS client shapes, drawn from shared pools.

One pool for everybody: nothing here may know whether an app is malicious, and every draw is keyed by what it is for,
so that one draw more never moves another. Names lie under .example and .test, addresses in 198.18.0.0/15 (RFC 2544).
"""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from lab.errors import ScenarioError
from lab.seeds import digits, generator, generators
from lab.timeline import Host

POPULAR = 600  # hosts that every device may use, by rank
TAIL = 60_000  # hosts behind the popular ones, by rank: the pool of the long tail (our choice; few are ever drawn)
INTERNET = int(ipaddress.ip_address("198.18.0.0"))
LAN = int(ipaddress.ip_address("10.88.0.0"))
RESOLVER = "10.88.0.1"
GROUPS = {"ssdp": "239.255.255.250", "mdns": "224.0.0.251"}  # UPnP Device Architecture 1.1; RFC 6762 section 3
HIGHEST = 29  # number in a host's name, while its zone has names to draw
GROUP_RTT_US = 1_000  # of a group, which never answers itself
NUMBERED = 15  # of a hundred registrable domains end in a number (our choice)
DRAWS = 64  # until a name or address is not drawn any more but looked for
TTLS_S = (30, 60, 120, 300, 300, 600, 1800, 3600)  # common in public zones (from memory)
NEGATIVE_TTL_S = 300  # how long the news is kept that there is no such name: that of the SOA (RFC 2308 section 5)
SHAPES = ("api", "cdn", "www", "m", "edge", "static", "img", "gw", "data", "app", "events", "sync", "ws", "push")
AGENTS = (
    "okhttp/4.12.0",
    "okhttp/4.9.3",
    "okhttp/5.0.0-alpha.14",
    "Dalvik/2.1.0 (Linux; U; Android 14; Pixel 7 Build/UQ1A.240205.004)",
    "Dalvik/2.1.0 (Linux; U; Android 13; SM-A546B Build/TP1A.220624.014)",
    "Mozilla/5.0 (Linux; Android 14; Pixel 7) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/122.0 Mobile",
    "Ktor client",
    "Cronet/122.0.6261.64",
)


@functools.cache
def _words() -> tuple[str, ...]:
    """Plain words of no product: faker's English list, in one order."""
    from faker.providers.lorem.en_US import Provider

    return tuple(sorted({word for word in Provider.word_list if 4 <= len(word) <= 8 and word.isalpha()}))


def domain(*key: object) -> str:
    """A registrable domain such as ``garden-sound.example``, the same for the same key."""
    one, two, joint, numbered, number, top, *_ = digits(("domain", *key))
    words = _words()
    first, second = words[one % len(words)], words[two % len(words)]
    suffix = str(2 + number % 97) if numbered % 100 < NUMBERED else ""
    return f"{first}{('', '-', '')[joint % 3]}{second}{suffix}.{('example', 'test')[top % 2]}"


def hostname(zone: str, rng: np.random.Generator) -> str:
    """A host of a zone in a realistic shape: the zone itself, ``api.``, ``cdn-3.`` and the like."""
    label = SHAPES[int(rng.integers(0, len(SHAPES)))]
    number = int(rng.integers(1, HIGHEST + 1))
    shape = rng.random()
    if shape < 0.1:
        return zone
    if shape < 0.4:
        return f"{label}-{number}.{zone}"
    return f"{label}.{zone}" if shape < 0.9 else f"{label}.eu{number % 3 + 1}.{zone}"


@functools.cache
def _log_weights(count: int) -> npt.NDArray[np.float64]:
    """(count,) the logarithms of Zipf's weights 1/rank."""
    found: npt.NDArray[np.float64] = np.log(1.0 / np.arange(1, count + 1))
    return found


@dataclass
class Cast:
    """The hosts of one scenario and seed, made when first asked for; every name and address is given once."""

    key: tuple[object, ...]
    hosts: list[Host] = field(default_factory=list)
    ttls_s: list[int] = field(default_factory=list)  # of each host's name
    _index: dict[tuple[object, ...], int] = field(default_factory=dict)
    _zones: dict[tuple[object, ...], str] = field(default_factory=dict)  # registrable domains, each given once
    _domains: set[str] = field(default_factory=set)
    _names: set[str] = field(default_factory=set)
    _numbered: dict[str, int] = field(default_factory=dict)  # hosts of a zone that ran out of shapes
    _foreseen: dict[tuple[object, ...], np.random.Generator] = field(default_factory=dict)
    _phones: dict[tuple[object, ...], str] = field(default_factory=dict)  # their addresses, by phone and network
    _resolver_rtt_us: int = -1
    _taken: set[int] = field(default_factory=lambda: {LAN + 1})

    def device_address(self, device: int, *network: str) -> str:
        """A phone's address in 10.88.0.0/16, at home or on another network."""
        whose = (device, *network)
        if whose not in self._phones:
            self._phones[whose] = self._address(generator(*self.key, "device address", *whose), LAN, 1 << 16)
        return self._phones[whose]

    @staticmethod
    def popular_ranks(rng: np.random.Generator, count: int) -> list[int]:
        """Different ranks among the hosts that every device uses, the popular ones more often (Zipf)."""
        weights = _log_weights(max(POPULAR, count))
        return np.argsort(weights + rng.gumbel(size=len(weights)))[::-1][:count].tolist()  # type: ignore[no-any-return]

    @staticmethod
    def tail_ranks(rng: np.random.Generator, count: int) -> list[int]:
        """Different ranks of the long tail: Zipf behind the popular ones, so that devices share few of them."""
        ranks = np.exp(rng.uniform(np.log(POPULAR), np.log(TAIL), 2 * count + 8)).astype(np.int64)
        different: list[int] = ranks[np.sort(np.unique(ranks, return_index=True)[1])].tolist()
        return [*different, *range(TAIL, TAIL + max(0, count - len(different)))][:count]

    def popular(self, rng: np.random.Generator, count: int) -> list[int]:
        """Different hosts that every device uses."""
        return [self.host("popular", rank) for rank in self.popular_ranks(rng, count)]

    def tail(self, rng: np.random.Generator, count: int) -> list[int]:
        """Different hosts of the long tail."""
        return [self.host("tail", rank) for rank in self.tail_ranks(rng, count)]

    def tenant(self, package: str, *key: object) -> int:
        """The enterprise's host in a vendor's zone, such as ``riverbank.garden-sound.example``: one on all devices."""
        return self.host("tenant", package, *key)

    def host(self, reach: str, *key: object) -> int:
        """The host of that key, named unless its reach is ``literal`` or ``lan``; ``key`` begins with its zone."""
        whole = (reach, *key)
        if whole not in self._index:
            self._make(whole)
        return self._index[whole]

    def _make(self, whole: tuple[Any, ...]) -> None:
        rng = self._foreseen.pop(whole, None) or generator(*self.key, *whole)
        reach, *key = whole
        name = self._name_of(reach, tuple(key), rng)
        local = reach == "lan"
        address = self._address(rng, LAN, 1 << 16) if local else self._address(rng, INTERNET, 1 << 17)
        rtt = _rtt(rng, 2.0, 10.0) if local else _rtt(rng, 8.0, 140.0)
        rank = key[0] if isinstance(key[0], int) else -1
        ttl_s = TTLS_S[int(rng.integers(0, len(TTLS_S)))]
        self._index[whole] = self._add(Host(name, address, rtt, reach, rank), ttl_s)

    def foresee(self, keys: Iterable[tuple[Any, ...]]) -> None:
        """Readies what hosts of those keys will be drawn from: faster for many of them than one by one."""
        new = [key for key in dict.fromkeys(keys) if key not in self._index and key not in self._foreseen]
        self._foreseen.update(zip(new, generators((*self.key, *key) for key in new), strict=True))

    def asked(self, name: str, ttl_s: int = TTLS_S[-1]) -> int:
        """The resolver as it is asked for a name, whose answer may be kept that long."""
        whole = ("asked", name)
        if whole not in self._index:
            if self._resolver_rtt_us < 0:
                self._resolver_rtt_us = _rtt(generator(*self.key, "resolver"), 1.5, 4.0)
            self._index[whole] = self._add(Host(name, RESOLVER, self._resolver_rtt_us), ttl_s)
        return self._index[whole]

    def void(self, label: str, zone: str) -> int:
        """The resolver as it is asked for a name that nobody has (see ``made``)."""
        return self.asked(self._made(label, zone), NEGATIVE_TTL_S)

    def zone(self, *key: object) -> int:
        """The resolver as it is asked for names under the zone of that key."""
        return self.asked(self._domain("vendor", *key))

    def group(self, protocol: str) -> int:
        """The multicast group of a protocol; ValueError for one that has none."""
        if protocol not in GROUPS:
            raise ValueError(f"protocol {protocol!r} has no multicast group; those that have: {', '.join(GROUPS)}")
        whole = ("group", protocol)
        if whole not in self._index:
            self._index[whole] = self._add(Host("", GROUPS[protocol], GROUP_RTT_US), TTLS_S[-1])
        return self._index[whole]

    def _domain(self, *key: object) -> str:
        """The registrable domain of that key; no other key has it."""
        if key not in self._zones:
            again = 0
            while (found := domain(*self.key, *key, *([again] if again else []))) in self._domains:
                again += 1
            self._domains.add(found)
            self._zones[key] = found
        return self._zones[key]

    def _name_of(self, reach: str, key: tuple[object, ...], rng: np.random.Generator) -> str:
        if reach in {"literal", "lan"}:
            return ""
        if reach == "made":
            return self._made(*map(str, key))
        if reach != "tenant":
            return self._name(self._domain(reach, key[0]), rng)
        company = domain(*self.key, "tenant").split(".", 1)[0]
        return self._name(f"{company}.{self._domain('vendor', key[0])}", rng)

    def _made(self, label: str, zone: str) -> str:
        """The name of a label that an app makes up: under the domain of that zone, or without one a domain itself."""
        if zone:
            return f"{label}.{self._domain('vendor', zone)}"
        return f"{label}.{('example', 'test')[digits(('top', label))[0] % 2]}"

    def _add(self, host: Host, ttl_s: int) -> int:
        self.hosts.append(host)
        self.ttls_s.append(ttl_s)
        return len(self.hosts) - 1

    def _name(self, zone: str, rng: np.random.Generator) -> str:
        for _ in range(DRAWS):
            name = hostname(zone, rng).lower()
            if name not in self._names:
                break
        while name in self._names:
            self._numbered[zone] = self._numbered.get(zone, HIGHEST) + 1
            name = f"{SHAPES[int(rng.integers(0, len(SHAPES)))]}-{self._numbered[zone]}.{zone}"
        self._names.add(name)
        return name

    def _address(self, rng: np.random.Generator, base: int, size: int) -> str:
        """A free address; ScenarioError if none is left in the network."""
        for _ in range(DRAWS):
            found = base + int(rng.integers(1, size - 1))
            if self._free(found):
                break
        else:
            free = [place for place in range(base + 1, base + size - 1) if self._free(place)]
            if not free:
                network = f"{ipaddress.ip_address(base)}/{33 - size.bit_length()}"
                raise ScenarioError([f"scenario {self.key[-1]}: more hosts or devices than {network} has addresses"])
            found = free[int(rng.integers(0, len(free)))]
        self._taken.add(found)
        return ".".join(map(str, found.to_bytes(4, "big")))

    def _free(self, place: int) -> bool:
        return place not in self._taken and place & 0xFF not in {0, 255}


def _rtt(rng: np.random.Generator, low_ms: float, high_ms: float) -> int:
    """A round trip in microseconds, log-uniform."""
    return int(np.exp(rng.uniform(_log(low_ms), _log(high_ms))) * 1000)


_log = functools.cache(np.log)
