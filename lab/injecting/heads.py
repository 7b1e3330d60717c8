"""What the headers of a part's TCP and UDP packets say, as columns; other packets have no row.

Layouts: RFC 791, RFC 8200, RFC 9293, RFC 768; options of a SYN RFC 9293 section 3.2 and RFC 7323 section 2.2.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from detector.capture.link import network_offset
from detector.capture.network import AddressBook, Datagrams, datagrams
from lab.behaviours import Bool, Int64
from lab.injecting.parts import Part

TCP, UDP = 6, 17
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
LONGEST = 60  # bytes of a TCP header
_MSS, _SCALE = 2, 3  # kinds of options
NONE = -1


@dataclass(frozen=True)
class Heads:
    """One row per packet that is whole up to its transport header, in file order; -1 is none.

    ``row`` is its record in the part, ``ip`` and ``l4`` the places of its headers in the part's file, ``payload``
    that of its payload, of which ``size`` bytes were on the wire and ``have`` are there. Addresses are numbers, of
    IPv6 places in the book given.
    """

    row: Int64
    time: Int64
    v6: Bool
    proto: Int64
    src: Int64
    dst: Int64
    sport: Int64
    dport: Int64
    ttl: Int64
    ident: Int64
    fragment: Int64  # the 16 bits of flags and offset; 0 of IPv6
    flags: Int64
    seq: Int64
    ack: Int64
    window: Int64
    mss: Int64  # of a SYN's option
    scale: Int64
    ip: Int64
    l4: Int64
    payload: Int64
    size: Int64
    have: Int64

    def __len__(self) -> int:
        return len(self.row)

    def take(self, rows: Int64 | Bool) -> Heads:
        """Some of the rows."""
        return Heads(**{one.name: getattr(self, one.name)[rows] for one in fields(self)})

    @classmethod
    def joined(cls, several: list[Heads]) -> Heads:
        """The rows of several, one after the other; those of none are none."""
        columns = {one.name: [getattr(some, one.name) for some in several] for one in fields(cls)}
        empty = {"v6": np.bool_}
        return cls(**{k: np.concatenate([np.zeros(0, empty.get(k, np.int64)), *v]) for k, v in columns.items()})


def heads(part: Part, book: AddressBook) -> Heads:
    """The headers of a part's packets; later fragments and packets whose headers are cut have no row."""
    records, file = part.records, part.file
    ip, found = _datagrams(part, book)
    tcp, least = found.proto == TCP, np.where(found.proto == TCP, 20, 8)
    whole = found.good & (tcp | (found.proto == UDP)) & (found.have >= least) & (found.size >= least)
    header = np.where(tcp, (found.head[:, 12] >> 4).astype(np.int64) * 4, 8)
    rows = np.flatnonzero(whole & (header >= least) & (header <= found.size))
    words = np.ascontiguousarray(found.head[rows]).view(">u2").astype(np.int64)
    over = file.gather(ip[rows], 10).astype(np.int64)
    tcp, v6, header = tcp[rows], found.v6[rows], header[rows]
    flags = np.where(tcp, found.head[rows, 13], 0).astype(np.int64)
    mss, scale = _options(part, found.at[rows], header, (flags & SYN) > 0)
    return Heads(
        row=rows,
        time=records.time[rows],
        v6=v6,
        proto=found.proto[rows].astype(np.int64),
        src=found.src[rows].astype(np.int64),
        dst=found.dst[rows].astype(np.int64),
        sport=words[:, 0],
        dport=words[:, 1],
        ttl=np.where(v6, over[:, 7], over[:, 8]),
        ident=np.where(v6, NONE, over[:, 4] << 8 | over[:, 5]),
        fragment=np.where(v6, 0, over[:, 6] << 8 | over[:, 7]),
        flags=flags,
        seq=np.where(tcp, words[:, 2] << 16 | words[:, 3], NONE),
        ack=np.where(tcp, words[:, 4] << 16 | words[:, 5], NONE),
        window=np.where(tcp, words[:, 7], NONE),
        mss=mss,
        scale=scale,
        ip=ip[rows],
        l4=found.at[rows],
        payload=found.at[rows] + header,
        size=found.size[rows] - header,
        have=np.clip(found.have[rows] - header, 0, found.size[rows] - header),
    )


def _datagrams(part: Part, book: AddressBook) -> tuple[Int64, Datagrams]:
    """Where the IP headers of a part begin, -1 of what is none, and what they hold."""
    records = part.records
    caplen = records.caplen.astype(np.int64)
    at = network_offset(part.file, records.offset, caplen, records.link)
    wire = np.maximum(caplen, records.length)
    ip = np.where(at < 0, -1, records.offset + at)
    return ip, datagrams(part.file, ip, caplen - at, wire - at, book)


def _options(part: Part, l4: Int64, header: Int64, syn: Bool) -> tuple[Int64, Int64]:
    """Maximum segment size and window scale of SYNs; -1 where there is none."""
    mss, scale = np.full(len(l4), NONE), np.full(len(l4), NONE)
    rows = np.flatnonzero(syn)
    if len(rows):
        options = part.file.gather(l4[rows], LONGEST).astype(np.int64)
        for kind, place in option_places(options, header[rows]).items():
            known = np.flatnonzero(place >= 0)
            octets = options[known, place[known] + 2], options[known, np.minimum(place[known] + 3, LONGEST - 1)]
            if kind == _MSS:
                mss[rows[known]] = octets[0] << 8 | octets[1]
            else:
                scale[rows[known]] = octets[0]
    return mss, scale


def option_places(headers: Int64, length: Int64) -> dict[int, Int64]:
    """Where in TCP headers, rows of 60 bytes of which ``length`` count, the two options stand; -1 where not."""
    found = {kind: np.full(len(headers), NONE) for kind in (_MSS, _SCALE)}
    at, every = np.full(len(headers), 20), np.arange(len(headers))
    for _ in range(LONGEST - 20):
        going = at < length
        if not going.any():
            break
        kind = np.where(going, headers[every, np.minimum(at, LONGEST - 1)], 0)
        size = headers[every, np.minimum(at + 1, LONGEST - 1)]
        for wanted, place in found.items():
            new = (kind == wanted) & (place < 0) & (at + size <= length)
            place[new] = at[new]
        step = np.where(kind == 1, 1, size)
        at = np.where(going & (kind != 0) & (step > 0), at + step, LONGEST)
    return found
