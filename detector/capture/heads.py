"""The first payload bytes of each flow and direction, and the names read from them.

Segments are joined in stream order up to the first hole, cut packet, or MAX_SEGMENTS; a TLS
ClientHello that is whole in its first segment says all there is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.capture.flows import Flows, Ints, dns_flows
from detector.capture.mapped import MappedFile
from detector.capture.names import MAX_BYTES, Names, identify, is_whole_hello, read_hello
from detector.capture.packets import TCP, UDP, Packets
from detector.capture.streams import Slots, Stream

MAX_SEGMENTS = 8
TLS_HANDSHAKE = b"\x16\x03"


@dataclass(frozen=True)
class Heads:
    """Per slot what the client said first and what the server said first, up to MAX_BYTES each.

    Where a TCP client's first segment is a whole ClientHello, ``hello`` holds its names, and no bytes are kept. Where
    the client's bytes tell what is spoken (TLS, UDP DNS), those of the server are left empty.
    """

    up: list[bytes]
    down: list[bytes]
    hello: list[Names | None]


def heads_of(flows: Flows, file: MappedFile) -> Heads:
    """What both sides of each flow said first."""
    several = np.full(len(flows), MAX_SEGMENTS)
    hello: list[Names | None] = [None] * len(flows)
    up = _first_bytes(flows, 0, several, file, hello)
    told = np.fromiter((one is not None for one in hello), bool, len(up))
    told |= np.fromiter((head.startswith(TLS_HANDSHAKE) for head in up), bool, len(up))
    told |= dns_flows(flows) & np.fromiter(map(bool, up), bool, len(up))
    return Heads(up, _first_bytes(flows, 1, np.where(told, 0, several), file, None), hello)


def _first_bytes(
    flows: Flows, side: int, segments: Ints, file: MappedFile, hello: list[Names | None] | None
) -> list[bytes]:
    """Per slot what that side's stream begins with, out of at most so many segments; whole hellos go to ``hello``."""
    one = flows.streams[side]
    rows, begin, end = pieces(flows.packets, one, _near(one, segments), MAX_BYTES)
    slot = one.slot[rows]
    opens, _, _ = groups(slot)
    heads, told = [b""] * len(flows), np.zeros(len(flows), bool)
    tcp = (flows.packets.proto[flows.starts] == TCP).tolist()
    for place, head in zip(slot[opens].tolist(), file.spans(begin[opens], end[opens]), strict=True):
        if hello is not None and tcp[place] and is_whole_hello(head):
            hello[place] = read_hello(head)
            told[place] = hello[place] is not None
        if not told[place]:
            heads[place] = head
    rest = np.flatnonzero(~opens & ~told[slot])
    for place, more in zip(slot[rest].tolist(), file.spans(begin[rest], end[rest]), strict=True):
        heads[place] += more
    return heads


def pieces(packets: Packets, one: Stream, near: Ints, most: int) -> tuple[Ints, Ints, Ints]:
    """Those of the rows ``near`` that hold each flow's first bytes, and where in the file these begin and end.

    ``near`` are rows of the stream: of every flow wanted those from its first on, none left out. Each flow's bytes
    are joined without repeats, up to its first hole or cut packet and at most so many.
    """
    row = one.row[near]
    opens, starts, group = groups(one.slot[near])
    short = packets.have[row] < packets.size[row]
    broken = one.gap[near].copy()
    broken[1:] |= short[:-1] & ~opens[1:]
    place = one.begin[near] + one.skip[near]
    place -= place[starts][group] if len(starts) else 0
    size = np.minimum(one.fresh[near], packets.have[row].astype(np.int64) - one.skip[near])
    size = np.minimum(size, most - place)
    wanted = (_since(broken, starts, group) == 0) & (size > 0)
    begin = (packets.at[row] + one.skip[near])[wanted]
    return near[wanted], begin, begin + size[wanted]


def _near(one: Stream, segments: Ints) -> Ints:
    """The rows before and with the last segment that is wanted of each slot; repeats do not count as one."""
    borders = np.searchsorted(one.slot, np.arange(len(segments) + 1, dtype=np.int32))
    running = np.cumsum(one.fresh > 0, dtype=np.int32)
    before = np.append(np.int32(0), running)[borders[:-1]]
    stops = np.minimum(np.searchsorted(running, before + segments, "right"), borders[1:])
    counts = np.maximum(stops - borders[:-1], 0)
    shift = np.cumsum(counts) - counts
    return np.repeat(borders[:-1] - shift, counts) + np.arange(counts.sum())


def groups(slot: Slots) -> tuple[NDArray[np.bool_], Ints, Ints]:
    """Which rows open a new slot, their places, and the number of each row's group."""
    opens = np.ones(len(slot), bool)
    opens[1:] = slot[1:] != slot[:-1]
    return opens, np.flatnonzero(opens), np.cumsum(opens) - 1


def _since(mark: NDArray[np.bool_], starts: Ints, group: Ints) -> Ints:
    """How many marks stand in the group up to and with each row."""
    running: Ints = np.cumsum(mark)
    return running - (running[starts] - mark[starts])[group] if len(starts) else running


def names_of(flows: Flows, heads: Heads) -> list[Names]:
    """Per slot the names in its first bytes."""
    packets = flows.packets
    upward = flows.up[flows.starts]
    source, target = packets.sport[flows.starts], packets.dport[flows.starts]
    client = np.where(upward, source, target).tolist()
    server = np.where(upward, target, source).tolist()
    spoken = [{TCP: "tcp", UDP: "udp"}.get(number, "") for number in packets.proto[flows.starts].tolist()]
    rows = zip(heads.hello, spoken, client, server, heads.up, heads.down, strict=True)
    return [hello or identify(*row) for hello, *row in rows]
