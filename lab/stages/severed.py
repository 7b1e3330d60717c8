"""What a change of the phone's network leaves of its conversations: nothing passes any more, no FIN either.

Android's netd destroys the sockets of a lost address (SOCK_DESTROY; AOSP, from memory), upon which the kernel resets
them (tcp_abort of Linux). On the mobile network, which lingers while Wi-Fi takes over, the reset is still sent; on a
Wi-Fi that is out of reach it is not.
"""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from lab.stages.link import Int64, Links
from lab.stages.requests import Request
from lab.stages.segments import ACK, FIN, OPTIONS, SYN, Bool, Packets

RST = 0x04


def severed(packets: Packets, until: Int64, reset: Bool) -> Packets:
    """The packets, by conversation and time, without those at or after ``until`` of their conversation.

    ``until`` and ``reset`` have a row per conversation; ``reset``: a TCP conversation cut short ends with a reset by
    the device, at that moment.
    """
    late = packets.time >= until[packets.conversation]
    if not late.any():
        return packets
    kept = packets.take(~late)
    cut = np.zeros(len(until), dtype=np.bool_)
    cut[packets.conversation[late]] = True
    resets = _resets(kept, until, cut & reset)
    whole = Packets(
        **{
            field.name: np.concatenate([getattr(kept, field.name), getattr(resets, field.name)])
            for field in fields(Packets)
        }
    )
    return whole.take(np.argsort(whole.conversation, kind="stable"))


def _resets(packets: Packets, until: Int64, wanted: Bool) -> Packets:
    """A reset after the last packet that the device sent in each conversation wanted, if that was no FIN."""
    mine = np.flatnonzero(packets.local)
    last = np.full(len(until), -1, dtype=np.int64)
    last[packets.conversation[mine]] = mine  # the last one of each stays
    rows = last[wanted & (last >= 0)]
    rows = rows[(packets.flags[rows] & FIN == 0) & (packets.flags[rows] & ACK > 0)]
    before = packets.take(rows)
    nothing = np.zeros(len(rows), dtype=np.int64)
    return Packets(
        conversation=before.conversation,
        time=until[before.conversation],
        local=before.local,
        flags=nothing + (RST | ACK),
        offset=nothing,
        length=nothing,
        seq=(before.seq + np.where(before.flags & OPTIONS > 0, 0, before.length) + (before.flags & SYN > 0))
        & 0xFFFFFFFF,
        ack=before.ack,
        ident=(before.ident + 1) & 0xFFFF,
    )


def answered(requests: list[Request], links: Links) -> list[Request]:
    """The requests in a gateway's log: not in a tunnel, and answered before the phone left its network."""
    return [one for one in requests if one.end < links.until[one.conversation] and links.tunnel[one.conversation] < 0]
