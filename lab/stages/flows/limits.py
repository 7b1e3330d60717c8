"""What networks leave to be seen of what is said: nothing behind a change of network, datagrams alone of a tunnel.

The same laws as lab/stages/severed.py and enveloped.py, for turns instead of packets.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt

from lab.stages.causality import TURN_US
from lab.stages.enveloped import BLOCK, HEAD, OPTIONS, SEALED, TCP, UDP
from lab.stages.flows.lanes import Lanes
from lab.stages.flows.parts import PARTED, SHAKING, Scene, Spoken, Turns, taken
from lab.stages.segments import DELAYED_ACK_US

Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Seen:
    """What passes: the turns, by conversation and time, and how each conversation ends.

    ``closed`` is when: by FIN where ``parts``, by reset where ``reset``, else it just ends. ``hidden``: in a tunnel.
    """

    turns: Turns
    said: Turns  # those inside tunnels as they are
    closed: Int64
    parts: Bool
    reset: Bool
    hidden: Bool


def seen(scene: Scene, said: Spoken, lingers: Bool) -> Seen:
    """The turns that pass; ``lingers``: the phone's old network can still be spoken on when it leaves."""
    turns, until, tcp = said.turns, scene.until, scene.lanes.tcp
    cut = said.closed + np.where(tcp, 2 * scene.lanes.rtt, 0) >= until
    if cut.any():
        turns = _shortened(scene, turns)
    parts = tcp & (said.closed < until)
    whole = Seen(turns, turns, said.closed, parts, tcp & cut & lingers & ~parts, scene.tunnel >= 0)
    return replace(whole, turns=_enveloped(scene, whole)) if whole.hidden.any() else whole


def _shortened(scene: Scene, turns: Turns) -> Turns:
    """Turns without what would come at or after the end of their network."""
    until = scene.until[turns.conversation]
    kept = turns.begin < until
    gap = np.where(turns.client, *(getattr(scene.lanes, f"{side}_gap")[turns.conversation] for side in _SIDES))
    packets = np.minimum(turns.packets, (np.maximum(until - turns.begin, 1) - 1) // np.maximum(gap, 1) + 1)
    share = np.where(turns.packets > 0, packets / np.maximum(turns.packets, 1), 1.0)
    made = replace(
        turns,
        packets=packets,
        size=np.ceil(turns.size * share).astype(np.int64),
        plain=np.ceil(turns.plain * share).astype(np.int64),
        end=np.minimum(turns.end, until - 1),
    )
    return taken(made, np.flatnonzero(kept))


_SIDES = ("client", "server")


def lone(scene: Scene, turns: Turns) -> Bool:
    """Whose last segment is acknowledged by itself: an odd one that nobody answers soon."""
    of = turns.conversation
    follows = np.full(len(of), 1 << 62, dtype=np.int64)
    follows[:-1] = np.where(of[1:] == of[:-1], turns.begin[1:] - turns.end[:-1], 1 << 62)
    patience = DELAYED_ACK_US + np.where(turns.client, scene.lanes.answer[of], 0)
    found: Bool = scene.lanes.tcp[of] & (turns.packets % 2 == 1) & (follows > patience) & (turns.exchange != PARTED)
    return found


def _enveloped(scene: Scene, whole: Seen) -> Turns:
    """The turns, those inside a tunnel as its datagrams; by conversation and time."""
    turns = whole.turns
    inside = whole.hidden[turns.conversation]
    mine = _cut(scene, turns, np.flatnonzero(inside))
    second, alone = _paired(mine)
    of = mine.conversation
    tcp = scene.lanes.tcp[of]
    up = mine.client != scene.said.inbound[scene.rows][of]
    joined = -(-mine.size // BLOCK) * BLOCK  # what is in a packet that is there anyway makes it longer
    lanes = scene.lanes.take(of)
    sealed = np.where(mine.packets > 0, _sealed(mine.size, np.where(tcp, TCP, UDP), lanes), joined)
    carried = [replace(mine, conversation=scene.tunnel[of], client=up, size=sealed, plain=sealed)]
    one = np.ones_like(of)
    size = _sealed(0 * one, one * TCP, lanes)
    when = mine.end + np.where(second, TURN_US, DELAYED_ACK_US) + np.where(up, scene.lanes.rtt[of], 0)
    answers = replace(carried[0], client=~up, begin=when, end=when, size=size, plain=size, packets=one)
    carried.append(taken(answers, np.flatnonzero(tcp & (second | alone) & (_replied(scene, whole, mine) > when))))
    carried += [_bare(scene, whole, at) for at in range(6)]
    parts = [taken(turns, np.flatnonzero(~inside)), *carried]
    made = Turns(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Turns)))
    made = replace(made, exchange=np.where(np.isin(made.conversation, scene.tunnel), 0, made.exchange))
    return taken(made, np.lexsort((made.begin, made.conversation)))


def _paired(packets: Turns) -> tuple[Bool, Bool]:
    """Which packets are second ones, which are acknowledged at once, and which are left over, as segments.py has it."""
    new = np.ones(len(packets.begin), dtype=np.bool_)
    new[1:] = (packets.conversation[1:] != packets.conversation[:-1]) | (packets.client[1:] != packets.client[:-1])
    new[1:] |= packets.begin[1:] - packets.begin[:-1] > DELAYED_ACK_US
    nth = np.cumsum(packets.packets)
    base = (nth - packets.packets)[np.flatnonzero(new)][np.cumsum(new) - 1] if len(nth) else nth
    second: Bool = ((nth - base) % 2 == 0) & (packets.packets > 0)
    return second, ~second & (packets.packets > 0) & np.append(new[1:], True)[: len(new)]


def _cut(scene: Scene, turns: Turns, rows: Int64) -> Turns:
    """Packet by packet these turns, in the order of time."""
    count = np.maximum(turns.packets[rows], 1)
    row = np.repeat(rows, count)
    nth = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    last: Bool = nth == np.repeat(count, count) - 1
    of, whole = turns.conversation[row], np.repeat(count, count)
    full = np.where(scene.lanes.tcp[of], scene.lanes.mss[of], -(-turns.size[row] // whole))
    gap = np.where(turns.client[row], scene.lanes.client_gap[of], scene.lanes.server_gap[of])
    begin = turns.begin[row] + nth * gap
    size = np.where(last, np.maximum(turns.size[row] - nth * full, 0), full)
    packets = np.minimum(turns.packets[row], 1)
    made = replace(taken(turns, row), begin=begin, end=begin, size=size, packets=packets)
    return taken(made, np.lexsort((begin, of)))


def _replied(scene: Scene, whole: Seen, packets: Turns) -> Int64:
    """When the other side speaks next or parts in the same conversation, if it does before this one speaks again."""
    of = packets.conversation
    parting = whole.closed[of] + np.where(packets.client, scene.lanes.answer[of], 0)
    found: Int64 = np.where(whole.parts[of], parting, 1 << 62)
    turned = packets.client[1:] != packets.client[:-1]
    found[:-1] = np.where(of[1:] != of[:-1], found[:-1], np.where(turned, packets.begin[1:], 1 << 62))
    return found


def _sealed(payload: Int64, header: Int64, lanes: Lanes) -> Int64:
    """Bytes of the datagram around a packet of that payload and L4 header."""
    packet = np.minimum(lanes.header + header + payload, lanes.room)
    sealed: Int64 = HEAD + SEALED + np.minimum(-(-packet // BLOCK) * BLOCK, lanes.room)
    return sealed


def _bare(scene: Scene, whole: Seen, at: int) -> Turns:
    """SYN, SYN-ACK, ACK and FIN, FIN, ACK of the TCP conversations in tunnels."""
    rows = np.flatnonzero(whole.hidden & scene.lanes.tcp & (whole.parts if at >= 3 else True))
    since = scene.start[rows] if at < 3 else whole.closed[rows]
    lag = at % 3
    time = since + (scene.lanes.answer[rows] if lag else 0) + (scene.lanes.turn[rows] if lag == 2 else 0)
    zero = np.zeros(len(rows), dtype=np.int64)
    size = _sealed(zero, zero + TCP + (OPTIONS if at < 2 else 0), scene.lanes.take(rows))
    client = (np.full(len(rows), lag != 1)) != scene.said.inbound[scene.rows][rows]
    return Turns(scene.tunnel[rows], zero, zero, client, time, time, size, size, zero + 1)


def opened(scene: Scene) -> Int64:
    """When the handshake of TCP is over."""
    ready: Int64 = scene.start + np.where(scene.lanes.tcp, scene.lanes.rtt + TURN_US, 0)
    return ready


def spoken_by_apps(turns: Turns) -> Bool:
    """What is no handshake and no closing alert of TLS."""
    said: Bool = (turns.plain > 0) & (turns.exchange != SHAKING)
    return said
