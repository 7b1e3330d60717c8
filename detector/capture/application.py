"""What the application says in each packet: its new payload without handshake, tickets and closing alerts of TLS.

Flows that do not begin with a ClientHello keep every byte, so do those inside CONNECT, SOCKS or STARTTLS, and those
whose handshake cannot be read whole (detector/capture/handshakes.py). Renegotiation counts as application.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detector.capture.alerts import Ends, take_alerts
from detector.capture.flows import Flows, Ints
from detector.capture.handshakes import HANDSHAKE, HEADER, Side, handshakes
from detector.capture.mapped import MappedFile
from detector.capture.names.tls import CLIENT_HELLO
from detector.capture.packets import TCP
from detector.capture.places import Places
from detector.capture.streams import Slots
from detector.capture.tickets import pass_tickets


def spoken(flows: Flows, file: MappedFile) -> NDArray[np.uint32]:
    """Per packet the bytes that the application says."""
    slots = _secured(flows, file)
    if not len(slots):
        return flows.fresh
    client, server = handshakes(flows, slots, file)
    whole = ~(client.broken | server.broken)
    modern = ~client.old & (client.done < len(flows.slot))
    pass_tickets(flows, server, client, np.flatnonzero(whole & modern))
    ends = Ends.of(flows, slots)
    out = flows.fresh.copy()
    for side in (client, server):
        _take_handshakes(out, side, np.flatnonzero(whole))
        take_alerts(out, side, np.flatnonzero(whole), ends)
    return out


def _secured(flows: Flows, file: MappedFile) -> Slots:
    """The flows whose client begins with a ClientHello."""
    slots = np.flatnonzero(flows.packets.proto[flows.starts] == TCP).astype(np.int32)
    head, whole = Places(flows, 0, slots, file).read(np.arange(len(slots)), HEADER + 1)
    hello: Slots = slots[whole & (head[:, 0] == HANDSHAKE) & (head[:, 1] == 3) & (head[:, 5] == CLIENT_HELLO)]
    return hello


def _take_handshakes(out: NDArray[np.uint32], side: Side, which: Ints) -> None:
    """Take the handshakes of these flows out of what the packets say."""
    places = side.places
    which = which[places.first[which] < places.stop[which]]
    places.put(which, side.end[which])
    counts = np.minimum(places.row[which] + 1, places.stop[which]) - places.first[which]
    flow = np.repeat(which, counts)
    row = np.repeat(places.first[which] - (np.cumsum(counts) - counts), counts) + np.arange(counts.sum())
    begin = places.begins(row)
    end = begin + places.stream.fresh[row]
    gone = np.maximum(np.minimum(end, side.end[flow]) - begin, 0)
    kept = np.minimum(end, side.kept_to[flow]) - np.maximum(begin, side.kept_from[flow])
    out[places.stream.row[row]] -= (gone - np.maximum(kept, 0)).astype(np.uint32)
