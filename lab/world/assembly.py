"""A timeline in the making: batches of all devices are added, numbered, looked up by name, sorted and sealed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from lab.behaviours import SECOND, Batch, Int32, Int64, Speech
from lab.network import Network
from lab.phones.name_cache import misses
from lab.seeds import generator
from lab.timeline import NAME_LOOKUP, Conversations, Exchanges, Listener
from lab.world.cast import GROUPS, RESOLVER, Cast
from lab.world.dual_stack import six_in
from lab.world.met import Met
from lab.world.ports import client_ports
from lab.world.resolving import BOTH_US, DOT_AHEAD, DOT_DOWN, DOT_UP, DOT_ZONE, Resolving, connections

_HEAD = ("start", "close", "app", "host", "speech", "inbound", "stack", "incident", "behaviour", "seed")
_ASKING = ("start", "app", "host", "speech", "inbound", "incident")  # of them, what look-ups depend on
_NARROW = ("app", "host", "speech", "stack", "incident", "behaviour")  # kept in 32 bits
_ROW = ("conversation", "time", "up", "down", "delay")
Part = tuple[int, Mapping[str, npt.ArrayLike]]  # how many rows, and their columns: a number stands in each of its rows


@dataclass(frozen=True)
class Owner:
    """Whose batch it is: indices into the timeline's tables; incident -1 = benign."""

    app: int
    netd: int
    device: int
    incident: int
    behaviour: int
    stack: int


@dataclass
class Assembly:
    """Columns so far, in scenario time, of a block of phones; ``first`` is the scenario's number of its first.

    ``when`` ends the keys of what is drawn of their days.
    """

    cast: Cast
    first: int = 0
    when: tuple[str, ...] = ()
    speeches: list[Speech] = field(default_factory=list)
    listeners: list[Listener] = field(default_factory=list)
    met: Met = field(init=False)
    _known: dict[tuple[object, ...], int] = field(default_factory=dict)
    _heads: list[Part] = field(default_factory=list)
    _rows: list[Part] = field(default_factory=list)
    _sought: list[Part] = field(default_factory=list)  # names that nobody has, asked for on behalf of an app
    _count: int = 0

    def __post_init__(self) -> None:
        self.met = Met(self.cast)

    def add(self, rng: np.random.Generator, batch: Batch, owner: Owner, hosts: Int64, stacks: Int64) -> None:
        """The batch of a behaviour on a device; ``hosts``: its peers' rows of the cast, ``stacks``: its customers'."""
        self.listeners += [Listener(owner.app, port, at, until) for at, until, port in batch.listen]
        speeches = np.array([self._speech(speech, hosts) for speech in batch.speeches], dtype=np.int64)
        places = self.met.places(hosts)
        if (void := batch.void).any():
            sought, batch = batch.only(void), batch.only(~void)
            whose = {"app": owner.app, "incident": owner.incident, "speech": 0, "inbound": 0}
            self._sought.append((len(sought.start), {"start": sought.start, "host": places[sought.peer], **whose}))
        n = len(batch.start)
        if not n:
            return
        own = batch.stack < 0
        self._append(
            {
                "start": batch.start,
                "close": batch.close,
                "app": owner.app,
                "host": places[batch.peer],
                "speech": speeches[batch.speech],
                "inbound": batch.inbound,
                "stack": owner.stack if own.all() else np.where(own, owner.stack, stacks[batch.stack % len(stacks)]),
                "incident": owner.incident,
                "behaviour": owner.behaviour,
                "seed": rng.integers(0, 2**62, n),
            },
            (batch.x_conversation, batch.x_time, batch.x_up, batch.x_down, batch.x_delay),
        )

    def _append(self, head: Mapping[str, Int64 | npt.ArrayLike], rows: tuple[Int64, ...]) -> None:
        n = len(np.asarray(head["start"]))
        conversation, *said = rows
        self._heads.append((n, head))
        self._rows.append((len(conversation), dict(zip(_ROW, [conversation + self._count, *said], strict=True))))
        self._count += n

    def _speech(self, speech: Speech, hosts: Int64) -> int:
        """The row of a speech, with ``@3:443`` in its options replaced by the name or address of its peer 3."""
        options = {name: self._resolved(value, hosts) for name, value in speech.options.items()}
        return self._row_of(Speech(speech.protocol, speech.tls, speech.port, options) if options else speech)

    def _row_of(self, speech: Speech) -> int:
        key = (speech.protocol, speech.tls, speech.port, *sorted(speech.options.items()))
        found = self._known.setdefault(key, len(self.speeches))
        if found == len(self.speeches):
            self.speeches.append(speech)
        return found

    def _resolved(self, value: str, hosts: Int64) -> str:
        if not value.startswith("@"):
            return value
        peer, _, rest = value[1:].partition(":")
        host = self.cast.hosts[int(hosts[int(peer)])]
        return f"{host.name or host.address}:{rest}" if rest else host.name or host.address

    def look_up(self, netd: Mapping[int, int], device_of: Int64, behaviour: int, how: Resolving | None = None) -> None:
        """Adds the look-ups that precede conversations with named hosts, through each device's cache.

        ``netd`` maps a device to its netd's app row, ``device_of`` an app row to its device. A host's TTL is drawn
        once; a look-up carries the incident of the conversation that caused it. A change of the network empties the
        cache (netd keeps one per network).
        """
        how = how or Resolving()
        head = _columns(self._heads, _ASKING)
        named = np.array([bool(h.name) and h.address != RESOLVER for h in self.met.hosts], dtype=np.bool_)
        dns = np.array([speech.protocol == "dns" for speech in self.speeches], dtype=np.bool_)
        asks = np.flatnonzero(named[head["host"]] & (head["inbound"] == 0) & ~dns[head["speech"]])
        if self._sought:
            sought = _columns(self._sought, _ASKING)
            asks = np.append(asks, len(head["start"]) + np.arange(len(sought["start"])))
            head = {name: np.concatenate([column, sought[name]]) for name, column in head.items()}
        wanted = self._missed(head, asks, device_of, how)
        if not len(wanted):
            return
        rng = generator(*self.cast.key, NAME_LOOKUP, *([self.first] if self.first else []), *self.when)
        asked = _asked({name: column[wanted] for name, column in head.items()}, rng, device_of, how)
        netd_of = np.array([netd.get(device, 0) for device in range(1 + max(netd))], dtype=np.int64)
        head, rows = self._privately(asked, how) if how.private else self._openly(asked)
        if how.network.dual and not how.private:
            head, rows = self._both(head, rows, asked, how.network)
        head |= {"app": netd_of[head.pop("device")], "seed": rng.integers(0, 2**62, len(head["start"]))}
        self._append({**head, "inbound": 0, "stack": 0, "behaviour": behaviour}, rows)

    def _openly(self, asked: dict[str, Int64]) -> tuple[dict[str, Int64], tuple[Int64, ...]]:
        """Look-ups in the clear, a datagram each: columns of conversations with their device, and of exchanges."""
        hosts, of = np.unique(asked["host"], return_inverse=True)
        before, delay, n = asked["time"], asked["delay"], len(of)
        zero = np.zeros(n, dtype=np.int64)
        head = {
            "start": before,
            "close": before + delay,
            "device": asked["device"],
            "host": np.array([self._resolver(self.met.hosts[host].name) for host in hosts.tolist()], dtype=np.int64)[
                of
            ],
            "speech": np.array([self._question(host) for host in hosts.tolist()], dtype=np.int64)[of],
            "incident": asked["incident"],
        }
        return head, (np.arange(n), before, zero, zero, delay)

    def _resolver(self, name: str) -> int:
        return self.met.place(self.cast.asked(name))

    def _both(
        self, head: dict[str, Int64], rows: tuple[Int64, ...], asked: dict[str, Int64], network: Network
    ) -> tuple[dict[str, Int64], tuple[Int64, ...]]:
        """The look-ups, each followed by one for the IPv6 address of the same name, on a socket of its own."""
        hosts, of = np.unique(asked["host"], return_inverse=True)
        six = np.array([self._question(host, network) for host in hosts.tolist()], dtype=np.int64)[of]
        later = {"start": head["start"] + BOTH_US, "close": head["close"] + BOTH_US, "speech": six}
        both = {name: np.concatenate([column, later.get(name, column)]) for name, column in head.items()}
        conversation, time, *sizes = rows
        of_both = np.concatenate([conversation, conversation + len(of)])
        return both, (of_both, np.concatenate([time, time + BOTH_US]), *(np.tile(size, 2) for size in sizes))

    def _privately(self, asked: dict[str, Int64], how: Resolving) -> tuple[dict[str, Int64], tuple[Int64, ...]]:
        """Look-ups as netd makes them over TLS: on one connection until nothing was asked for DOT_IDLE.

        A connection carries an incident if all that is asked on it does. Sizes are those of padded messages, and what
        stands in them is padding too: nobody outside can tell.
        """
        used = connections(asked, how)
        zero = np.zeros(len(used.device), dtype=np.int64)
        of, time, delay = used.of, used.time, used.delay
        if how.network.dual:
            of, time, delay = np.tile(of, 2), np.concatenate([time, time + BOTH_US]), np.tile(delay, 2)
        nothing = np.zeros(len(time), dtype=np.int64)
        speech = Speech("dns_tcp", tls=True, port=853, options={"qtype": "TXT", "sni": "none", "zone": DOT_ZONE})
        head = {
            "start": used.start,
            "close": used.close,
            "device": used.device,
            "host": zero + self._resolver(""),
            "speech": zero + self._speech(speech, zero),
            "incident": used.incident,
        }
        return head, (of, time, nothing + DOT_UP, nothing + DOT_DOWN, delay)

    def _missed(self, head: dict[str, Int64], asks: Int64, device_of: Int64, how: Resolving) -> Int64:
        """The conversations, ascending in time, whose name was not in the device's cache of that network."""
        device, host, time = device_of[head["app"][asks]], head["host"][asks], head["start"][asks]
        group = (how.attachment(device, time) * (len(self.met.hosts) + 1) + host) * (device_of.max() + 1) + device
        missed = asks[misses(group, time, np.array(self.met.ttls_s, dtype=np.int64)[host] * SECOND)]
        return missed[np.argsort(head["start"][missed], kind="stable")]

    def _question(self, host: int, six: Network | None = None) -> int:
        """How a host's name is asked for: its IPv4 address, or its IPv6 address in that network."""
        address, ttl = self.met.hosts[host].address, str(self.met.ttls_s[host])
        asked = {"qtype": "AAAA" if six else "A", "ttl": ttl}
        if address == RESOLVER:
            asked["missing"] = "1"
        elif answer := six_in(address, six) if six else address:
            asked["answer"] = answer
        return self._row_of(Speech("dns", port=53, options=asked))

    def seal(self, start: int, device_of: Int64) -> tuple[Conversations, Exchanges]:
        """The columns in the timeline's order, times since the epoch, client ports drawn."""
        head, rows = _columns(self._heads, _HEAD), _columns(self._rows, _ROW)
        order = np.argsort(head["start"], kind="stable")
        head = {name: column[order] for name, column in head.items()}
        narrow = {name: head[name].astype(np.int32) for name in _NARROW}
        rank = np.empty(len(order), dtype=np.int64)
        rank[order] = np.arange(len(order))
        conversation = rank[rows["conversation"]]
        sort = _by_time(conversation, rows["time"])
        conversations = Conversations(
            start=head["start"] + start,
            close=head["close"] + start,
            app=narrow["app"],
            host=narrow["host"],
            speech=narrow["speech"],
            inbound=head["inbound"].astype(np.bool_),
            stack=narrow["stack"],
            client_port=self._answering(
                client_ports((*self.cast.key, *self.when), device_of[head["app"]], self.first),
                head,
                conversation,
                rows["up"],
            ),
            incident=narrow["incident"],
            behaviour=narrow["behaviour"],
            seed=head["seed"],
        )
        columns = (rows[name][sort] for name in _ROW[2:])
        return conversations, Exchanges(conversation[sort].astype(np.int32), rows["time"][sort] + start, *columns)

    def _answering(self, ports: Int32, head: dict[str, Int64], conversation: Int64, up: Int64) -> Int32:
        """The ports, but who answers what an app asked a multicast group does so to the port that asked last."""
        group = np.array([host.address in GROUPS.values() for host in self.met.hosts], dtype=np.bool_)
        if not group.any():
            return ports
        lan = np.array([not host.name and host.address.startswith("10.88.") for host in self.met.hosts])
        known = list(GROUPS)
        protocol = np.array([known.index(s.protocol) if s.protocol in GROUPS else -1 for s in self.speeches])
        silent = np.bincount(conversation, weights=up, minlength=len(ports)) == 0
        who = head["app"] * len(known) + protocol[head["speech"]]
        place = who * len(ports) + np.arange(len(ports))
        asked = np.flatnonzero(group[head["host"]])
        asked = asked[np.argsort(place[asked])]
        answers = np.flatnonzero(lan[head["host"]] & (protocol[head["speech"]] >= 0) & silent)
        last = np.searchsorted(place[asked], place[answers]) - 1
        found = (last >= 0) & (who[asked[last]] == who[answers]) if len(asked) else np.zeros(len(answers), np.bool_)
        ports[answers[found]] = ports[asked[last[found]]]
        return ports


def _asked(head: dict[str, Int64], rng: np.random.Generator, device_of: Int64, how: Resolving) -> dict[str, Int64]:
    """What is asked for conversations, ascending in time: columns device, time, delay, host and incident.

    The answer is there some milliseconds before the conversation begins; what would be asked before the beginning of
    the scenario is not asked.
    """
    n = len(head["start"])
    delay = (rng.lognormal(np.log(15_000.0), 0.8, n)).astype(np.int64).clip(500, SECOND)
    before = head["start"] - delay - 5_000 - rng.integers(2_000, 12_000, n)
    asked = {"device": device_of[head["app"]], "time": before, "delay": delay}
    asked |= {"host": head["host"], "incident": head["incident"]}
    kept = before >= (DOT_AHEAD if how.private else 0)
    return {name: column[kept] for name, column in asked.items()}


def _by_time(conversation: Int64, time: Int64) -> Int64:
    """The order of exchanges by conversation, and by time within each: nearly always the order they have there."""
    order = np.argsort(conversation, kind="stable")
    whose, when = conversation[order], time[order]
    if ((whose[1:] == whose[:-1]) & (when[1:] < when[:-1])).any():
        return np.lexsort((time, conversation))
    return order


def _columns(parts: Sequence[Part], names: Sequence[str]) -> dict[str, Int64]:
    """Those columns of all parts, part after part."""
    ends = np.cumsum([0, *(count for count, _ in parts)]).tolist()
    found = {name: np.empty(ends[-1], dtype=np.int64) for name in names}
    for (_, part), begin, end in zip(parts, ends, ends[1:], strict=False):
        for name in names:
            found[name][begin:end] = part[name]
    return found
