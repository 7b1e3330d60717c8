"""Packets cut into flows, each with a client and a server.

A pair of endpoints begins a new flow after IDLE_US without a packet, and at a TCP SYN that does not repeat the one
before (another sequence number, or more than REPEAT_US later). The client is the sender of the first SYN; else
whoever the first SYN-ACK answers; else the sender of the first packet, unless its port is that of a service and the
other's is not, as where a capture began in mid-stream or where a neighbour answers a multicast question.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.capture.packets import ACK, RST, SYN, TCP, UDP, Packets
from detector.capture.pairs import Paired
from detector.capture.streams import Segments, Slots, Stream, stream

TCP_IDLE_US = 3_600_000_000  # push connections of phones are silent for up to half an hour
OTHER_IDLE_US = 180_000_000
REPEAT_US = 60_000_000
DNS_PORT = 53
SERVICE, EPHEMERAL = 1_024, 32_768  # ports below, ports from which on (Linux ip_local_port_range)
DISCOVERY = (1_900, 5_353)  # SSDP, mDNS: what was asked of a group, neighbours answer from here

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Flows:
    """Flows as columns by *slot*, their place among the sorted packets; ``number`` gives them in order of time.

    ``starts`` and ``stops`` bound a flow's packets. Of the packets, ``slot`` is the flow, ``up`` the direction,
    ``fresh`` the payload bytes not seen before. ``streams`` are the payloads upward and downward, in stream order.
    """

    packets: Packets
    starts: Ints
    stops: Ints
    number: Ints
    slot: Slots
    up: Mask
    fresh: NDArray[np.uint32]
    streams: tuple[Stream, Stream]

    def __len__(self) -> int:
        return len(self.starts)

    def total(self, values: NDArray[Any]) -> Ints:
        """Per flow the sum of a packet column."""
        running = np.concatenate([[0], np.cumsum(values, dtype=np.int64)])
        sums: Ints = running[self.stops] - running[self.starts]
        return sums


def cut(paired: Paired) -> Flows:
    """The flows of packets sorted by pair and time."""
    packets = paired.packets
    begins = paired.first | _after_silence(packets) | _after_reopening(packets, paired)
    starts = np.flatnonzero(begins)
    stops = np.append(starts[1:], len(begins))
    slot = np.cumsum(begins, dtype=np.int32) - np.int32(1)
    if len(starts):
        stops[-1] = len(begins)
    else:
        stops = stops[:0]
    up = paired.forward == _client_is_low(packets, paired.forward, starts, slot)[slot]
    number = np.empty(len(starts), np.int64)
    number[np.argsort(paired.rank[starts])] = np.arange(len(starts))
    streams = (_stream(packets, slot, up, len(starts)), _stream(packets, slot, ~up, len(starts)))
    fresh = np.zeros(len(slot), np.uint32)
    for one in streams:
        fresh[one.row] = one.fresh
    return Flows(packets, starts, stops, number, slot, up, fresh, streams)


def _after_silence(packets: Packets) -> Mask:
    silent = np.zeros(len(packets.time), bool)
    idle = np.where(packets.proto[1:] == TCP, TCP_IDLE_US, OTHER_IDLE_US)
    silent[1:] = packets.time[1:] - packets.time[:-1] > idle
    return silent


def _openings(packets: Packets) -> Ints:
    """The rows of SYN without ACK; a reset's SYN bit means nothing."""
    return np.flatnonzero((packets.flags & (SYN | ACK | RST)) == SYN)


def _after_reopening(packets: Packets, paired: Paired) -> Mask:
    """The SYNs that open a new flow of a pair already seen."""
    opens = np.zeros(len(packets.time), bool)
    rows = _openings(packets)
    if not len(rows):
        return opens
    pair = np.cumsum(paired.first)[rows]
    again = np.zeros(len(rows), bool)
    again[1:] = pair[1:] == pair[:-1]
    repeat = again.copy()
    repeat[1:] &= packets.seq[rows[1:]] == packets.seq[rows[:-1]]
    repeat[1:] &= paired.forward[rows[1:]] == paired.forward[rows[:-1]]
    repeat[1:] &= packets.time[rows[1:]] - packets.time[rows[:-1]] <= REPEAT_US
    answered_early = (packets.flags[np.maximum(rows - 1, 0)] & (SYN | ACK)) == (SYN | ACK)  # times swapped
    opens[rows[again & ~repeat | ~again & ~answered_early]] = True
    return opens


def _client_is_low(packets: Packets, forward: Mask, starts: Ints, slot: Slots) -> Mask:
    """Per flow whether the client is the lower endpoint of the pair."""
    source, target = packets.sport[starts], packets.dport[starts]
    tcp, udp = packets.proto[starts] == TCP, packets.proto[starts] == UDP
    serving = (tcp | udp) & (source < SERVICE) & (target >= SERVICE)
    serving |= tcp & (source < EPHEMERAL) & (target >= EPHEMERAL)
    serving |= udp & np.isin(source, DISCOVERY) & (target >= EPHEMERAL)
    client: Mask = forward[starts] ^ serving
    answers = np.flatnonzero((packets.flags & (SYN | ACK | RST)) == (SYN | ACK))[::-1]
    client[slot[answers]] = ~forward[answers]
    openings = _openings(packets)[::-1]
    client[slot[openings]] = forward[openings]
    return client


def _stream(packets: Packets, slot: Slots, side: Mask, flows: int) -> Stream:
    """The payloads of one direction."""
    syn = np.flatnonzero(side & ((packets.flags & (SYN | RST)) == SYN))[::-1]
    origin, known = np.zeros(flows, np.uint32), np.zeros(flows, bool)
    origin[slot[syn]], known[slot[syn]] = packets.seq[syn], True
    row = np.flatnonzero(side & (packets.size > 0))
    where = slot[row]
    return stream(
        Segments(
            row=row,
            slot=where,
            tcp=packets.proto[row] == TCP,
            seq=packets.seq[row],
            size=packets.size[row].astype(np.int64),
            origin=origin[where],
            known=known[where],
        )
    )


def dns_flows(flows: Flows) -> Mask:
    """Per slot: UDP with port 53 at one end."""
    packets, starts = flows.packets, flows.starts
    ports = (packets.sport[starts] == DNS_PORT) | (packets.dport[starts] == DNS_PORT)
    asked: Mask = ports & (packets.proto[starts] == UDP)
    return asked
