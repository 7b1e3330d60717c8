"""What networks leave to be seen of what is said: nothing behind a change of network, datagrams alone of a tunnel.

The same laws as lab/stages/severed.py and enveloped.py, for turns instead of packets.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt

from lab.stages.causality import TURN_US
from lab.stages.enveloped import BLOCK, HEAD, IPV4, MTU, OPTIONS, SEALED, TCP, UDP
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
    mine, alone = _paired(scene, turns, lone(scene, turns), np.flatnonzero(inside))
    of = mine.conversation
    tcp = scene.lanes.tcp[of]
    up = mine.client != scene.said.inbound[scene.rows][of]
    sealed = _sealed(-(-mine.size // np.maximum(mine.packets, 1)), np.where(tcp, TCP, UDP)) * mine.packets
    carried = [replace(mine, conversation=scene.tunnel[of], client=up, size=sealed, plain=sealed)]
    one = np.ones_like(of)
    size = _sealed(0 * one, one * TCP)
    when = mine.end + np.where(mine.packets == 2, TURN_US, DELAYED_ACK_US)
    answers = replace(carried[0], client=~up, begin=when, end=when, size=size, plain=size, packets=one)
    carried.append(taken(answers, np.flatnonzero(tcp & ((mine.packets == 2) | alone))))
    carried += [_bare(scene, whole, at) for at in range(6)]
    parts = [taken(turns, np.flatnonzero(~inside)), *carried]
    made = Turns(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Turns)))
    made = replace(made, exchange=np.where(np.isin(made.conversation, scene.tunnel), 0, made.exchange))
    return taken(made, np.lexsort((made.begin, made.conversation)))


def _paired(scene: Scene, turns: Turns, alone: Bool, rows: Int64) -> tuple[Turns, Bool]:
    """Two packets at a time of these turns, since the second is acknowledged; whether a last one is by itself."""
    count = np.maximum((turns.packets[rows] + 1) // 2, 1)
    row = np.repeat(rows, count)
    nth = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    packets = np.clip(turns.packets[row] - 2 * nth, 1, 2)
    share = packets / np.maximum(turns.packets[row], 1)
    of = turns.conversation[row]
    gap = np.where(turns.client[row], scene.lanes.client_gap[of], scene.lanes.server_gap[of])
    begin = turns.begin[row] + 2 * nth * gap
    size = np.rint(turns.size[row] * share).astype(np.int64)
    last = nth == np.repeat(count, count) - 1
    made = replace(taken(turns, row), begin=begin, end=begin + (packets - 1) * gap, size=size, packets=packets)
    return made, alone[row] & last


def _sealed(payload: Int64, header: Int64) -> Int64:
    """Bytes of the datagram around a packet of that payload."""
    packet = np.minimum(IPV4 + header + payload, MTU)
    sealed: Int64 = HEAD + SEALED + np.minimum(-(-packet // BLOCK) * BLOCK, MTU)
    return sealed


def _bare(scene: Scene, whole: Seen, at: int) -> Turns:
    """SYN, SYN-ACK, ACK and FIN, FIN, ACK of the TCP conversations in tunnels."""
    rows = np.flatnonzero(whole.hidden & scene.lanes.tcp & (whole.parts if at >= 3 else True))
    since = scene.start[rows] if at < 3 else whole.closed[rows]
    lag = at % 3
    time = since + (scene.lanes.answer[rows] if lag else 0) + (scene.lanes.turn[rows] if lag == 2 else 0)
    zero = np.zeros(len(rows), dtype=np.int64)
    size = _sealed(zero, zero + TCP + (OPTIONS if at < 2 else 0))
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
