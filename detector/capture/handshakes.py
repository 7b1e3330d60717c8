"""Where TLS handshakes end in each direction, read from the headers of records alone.

TLS 1.2 and before (RFC 5246 section 7.3): a direction's handshake ends with the record behind its ChangeCipherSpec.
TLS 1.3 (RFC 8446 section 2) looks so from outside: in clear only hellos and ChangeCipherSpec (appendix D.4), then
application_data, which in TLS 1.2 never comes before the record behind ChangeCipherSpec. Its client ends with its
Finished, known by its length, or else its first record after the server's hello; records between that hello and the
Finished are certificates. 0-RTT data, the client's records before the server's hello, are no handshake. Its server
ends with whatever it sent before the client's Finished was seen.
A handshake that stops half-way is nothing but handshake. One that cannot be read is broken: a hole, cut packets, a
beginning in mid-stream, more records than MAX_RECORDS, no server beside a client's application data.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detector.capture.flows import Flows, Ints, Mask
from detector.capture.mapped import MappedFile
from detector.capture.names.tls import MAX_RECORD
from detector.capture.places import Places
from detector.capture.streams import Slots

CHANGE_CIPHER, ALERT, HANDSHAKE, APPLICATION = 20, 21, 22, 23
HEADER = 5
MAX_RECORDS = 24  # of one direction
MAX_CERTIFICATES = 4  # records of a client between the server's hello and its Finished
#: RFC 8446 sections 4.4.4, 5.2: hash of 32 or 48 bytes, header 4, type 1, tag 16; JSSE adds 16 bytes of padding.
FINISHED = (53, 69, 85)
#: Random of a ServerHello that is a HelloRetryRequest (RFC 8446 section 4.1.3), its first bytes, and where they are.
RETRY, RETRY_AT = np.frombuffer(bytes.fromhex("cf21ad74e59a6111"), np.uint8), HEADER + 6


@dataclass(frozen=True)
class Side:
    """One direction of the flows that speak TLS; the arrays are filled while it is read, one entry a flow.

    ``end`` is the stream place behind the handshake, unless ``broken``. ``ciphered``: ChangeCipherSpec was seen;
    ``old``: TLS 1.2 or before. ``done`` is the packet with the last record of the handshake, one past all packets
    where there is none. 0-RTT data lies from ``kept_from`` to ``kept_to``.
    """

    places: Places
    end: Ints
    broken: Mask
    ciphered: Mask
    old: Mask
    done: Ints
    kept_from: Ints
    kept_to: Ints


@dataclass(frozen=True)
class _Guess:
    """The client's first record after the server's hello: its Finished, where none has the length of one."""

    end: Ints
    done: Ints
    records: Ints  # how many came after the server's hello


@dataclass(frozen=True)
class _Records:
    """The records that some flows (``flow``) go on with: types, where they end, and the packets they begin in."""

    flow: Ints
    kind: Ints
    length: Ints
    end: Ints
    packet: Ints


def handshakes(flows: Flows, slots: Slots, file: MappedFile) -> tuple[Side, Side]:
    """The handshakes of client and server in flows that begin with a ClientHello; a server's tickets may follow."""
    client, server = (_side(Places(flows, side, slots, file)) for side in (0, 1))
    retried = _retried(server.places)
    answered = server.places.packet(np.arange(len(slots)))
    _end_client(client, retried, answered)
    client.broken[(client.kept_to > 0) & (answered == len(flows.slot))] = True
    _end_server(server, client, retried)
    return client, server


def _side(places: Places) -> Side:
    count = len(places.at)
    no, none = np.zeros((2, count), bool), np.zeros((3, count), np.int64)
    begun_late = places.at > 0  # behind the SYN there is a hole
    return Side(places, none[0], begun_late, no[0], no[1], np.full(count, places.never), none[1], none[2])


def _retried(places: Places) -> Mask:
    """Whose first answer is a HelloRetryRequest: a second ClientHello follows, perhaps behind ChangeCipherSpec."""
    head, whole = places.read(np.arange(len(places.at)), RETRY_AT + len(RETRY))
    same: Mask = whole & (head[:, 0] == HANDSHAKE) & (head[:, RETRY_AT:] == RETRY).all(axis=1)
    return same


def _following(side: Side, which: Ints) -> _Records:
    """The next record of these flows; where a stream is over its end is the handshake's, where none is read broken."""
    places = side.places
    found, over = places.settle(which)
    head, whole = places.read(which, HEADER)
    length = head[:, 3].astype(np.int64) << 8 | head[:, 4]
    valid = found & whole & (head[:, 1] == 3) & (length > 0) & (length <= MAX_RECORD)
    valid &= (head[:, 0] >= CHANGE_CIPHER) & (head[:, 0] <= APPLICATION)
    side.end[which[over]] = places.at[which[over]]
    side.broken[which[~valid & ~over]] = True
    flow, length = which[valid], length[valid]
    return _Records(flow, head[valid, 0], length, places.at[flow] + HEADER + length, places.packet(flow))


def _end_client(side: Side, retried: Mask, answered: Ints) -> None:
    live = np.flatnonzero(~side.broken)
    guess = _Guess(np.zeros_like(side.end), side.done.copy(), np.zeros_like(side.end))
    for _ in range(MAX_RECORDS):
        record = _following(side, live)
        lost = np.setdiff1d(live, record.flow, assume_unique=True)
        _guessed(side, lost[guess.records[lost] > 0], guess)
        live = record.flow
        if not len(live):
            return
        sealed = record.kind == APPLICATION
        early = sealed & (record.packet < answered[live])
        _keep(side, live, record, early)
        late = sealed & ~early
        _count(guess, record, late)
        old = (record.kind == HANDSHAKE) & side.ciphered[live] & ~retried[live]
        finished = old | (late & np.isin(record.length, FINISHED))
        side.old[live[old]] = True
        side.end[live[finished]], side.done[live[finished]] = record.end[finished], record.packet[finished]
        side.ciphered[live] |= record.kind == CHANGE_CIPHER
        in_vain = ~finished & (guess.records[live] > MAX_CERTIFICATES)
        _guessed(side, live[in_vain], guess)
        side.places.at[live] = record.end
        live = live[~finished & ~in_vain]
    side.broken[live] = True


def _keep(side: Side, live: Ints, record: _Records, early: Mask) -> None:
    """0-RTT data, one record behind the other."""
    flow = live[early]
    fresh = flow[side.kept_to[flow] == 0]
    side.kept_from[fresh] = side.places.at[fresh]
    side.kept_to[flow] = record.end[early]


def _count(guess: _Guess, record: _Records, late: Mask) -> None:
    first = late & (guess.records[record.flow] == 0)
    guess.end[record.flow[first]], guess.done[record.flow[first]] = record.end[first], record.packet[first]
    guess.records[record.flow[late]] += 1


def _guessed(side: Side, which: Ints, guess: _Guess) -> None:
    side.end[which], side.done[which], side.broken[which] = guess.end[which], guess.done[which], False


def _end_server(side: Side, client: Side, retried: Mask) -> None:
    """The server's handshake, without tickets that come after the client's Finished."""
    live = np.flatnonzero(~(client.broken | side.broken))
    modern = np.zeros(len(retried), bool)  # application data came before the record behind ChangeCipherSpec
    for _ in range(MAX_RECORDS):
        record = _following(side, live)
        live = record.flow
        if not len(live):
            return
        sealed, clear = record.kind == APPLICATION, record.kind == HANDSHAKE
        odd = (sealed & client.old[live]) | (clear & modern[live])
        over = sealed & ~odd & (record.packet > client.done[live])
        finished = clear & ~odd & side.ciphered[live] & ~retried[live]
        side.broken[live[odd]] = True
        side.end[live[over]] = side.places.at[live[over]]
        side.end[live[finished]], side.old[live[finished]] = record.end[finished], True
        side.ciphered[live] |= record.kind == CHANGE_CIPHER
        modern[live] |= sealed
        going = ~odd & ~over & ~finished
        live = live[going]
        side.places.at[live] = record.end[going]
    side.broken[live] = True
