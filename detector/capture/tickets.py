"""The session tickets of TLS 1.3 servers: records behind the handshake that answer nothing.

Up to MAX_TICKETS records that come first after the client's Finished, alike in size, each before the client's first
request or followed by the server's next bytes, other than a closing alert, rather than the client's: a request wants
an answer, and the last thing said before the client goes on is that answer. OpenSSL sends tickets on the Finished,
BoringSSL along with its first answer, so time does not tell them from answers.
Wrong: an answer or greeting that begins with a small record of its own, from a server without tickets, loses that
record; a second ticket of another size, or one that the client speaks behind, counts as answer.
"""

from __future__ import annotations

import numpy as np

from detector.capture.alerts import SEALED
from detector.capture.flows import Flows, Ints, Mask
from detector.capture.handshakes import APPLICATION, HEADER, Side
from detector.capture.places import Places

#: Records of NewSessionTickets (RFC 8446 section 4.6.1): 74 with a bare identifier, 581 the longest seen, of two.
MIN_TICKET, MAX_TICKET, TICKETS_DIFFER, MAX_TICKETS = 60, 700, 8, 4


def pass_tickets(flows: Flows, server: Side, client: Side, which: Ints) -> None:
    """Move the server's end behind the tickets that follow it."""
    if not len(which):
        return
    places = server.places
    client.places.put(which, client.end[which])
    asked = client.places.packet(which)
    said, goodbye = np.flatnonzero(flows.fresh), np.zeros(len(which), np.int64)
    heard = np.flatnonzero(places.first[which] < places.stop[which])
    goodbye[heard] = places.last(which[heard])[1] - HEADER - SEALED
    usual = np.zeros(len(which), np.int64)
    live = np.arange(len(which))
    for _ in range(MAX_TICKETS):
        flow = which[live]
        places.at[flow] = server.end[flow]
        found, _ = places.settle(flow)
        head, whole = places.read(flow, HEADER)
        length = head[:, 3].astype(np.int64) << 8 | head[:, 4]
        alike = (usual[live] == 0) | (np.abs(length - usual[live]) <= TICKETS_DIFFER)
        alike &= found & whole & (head[:, 0] == APPLICATION) & (length >= MIN_TICKET) & (length <= MAX_TICKET)
        live, flow, length = live[alike], flow[alike], length[alike]
        places.at[flow] += HEADER + length - 1  # its last byte
        found, _ = places.settle(flow)
        packet = places.packet(flow)
        more = _goes_on(flows, places, flow, packet, said) & (places.at[flow] + 1 < goodbye[live])
        wanted = found & ((packet < asked[live]) | more)
        live, flow, length = live[wanted], flow[wanted], length[wanted]
        server.end[flow] += HEADER + length
        usual[live] = length


def _goes_on(flows: Flows, places: Places, which: Ints, packet: Ints, said: Ints) -> Mask:
    """Whether what is said next behind these places is the server's again."""
    row = np.minimum(places.row[which], len(places.stream.row) - 1)
    more = places.begins(row) + places.stream.fresh[row] > places.at[which] + 1
    behind = np.minimum(row + 1, len(places.stream.row) - 1)  # came before: the place was lost, and sent again
    more |= (places.stream.slot[behind] == places.stream.slot[row]) & (places.stream.row[behind] < packet)
    following = np.searchsorted(said, packet, "right")
    last = following >= len(said)
    after = said[np.minimum(following, len(said) - 1)]
    same = ~last & (packet < places.never) & (flows.slot[after] == places.stream.slot[row])
    going: Mask = more | (same & ~flows.up[after])
    return going
