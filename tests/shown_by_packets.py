"""What packets alone show of a flow: TTL and SYN fields, ClientHello, certificate, MAC, QUIC's clear part, first flights.

Captures are read with struct alone, so that a fault of the capture reader cannot hide a leak. test_no_shortcut_wire.py
holds it against the labels; ``rewritten`` plants what must be found.
"""

from __future__ import annotations

import hashlib
import socket
import struct

from cryptography import x509

SYN, ACK = 0x02, 0x10
GREASE = {0x0A0A + 0x1010 * nth for nth in range(16)}  # RFC 8701
SERVER_NAME, VERSIONS = 0, 43
FINISHED = 110  # bytes of a client's Finished with its change_cipher_spec in TLS 1.3, at most


def packets(data):
    """Each IPv4 packet of a classic little-endian pcap: protocol, client-side 4-tuple, and frame."""
    place = 24
    while place < len(data):
        size = struct.unpack_from("<I", data, place + 8)[0]
        frame = data[place + 16 : place + 16 + size]
        place += 16 + size
        if frame[12:14] == b"\x08\x00" and frame[23] in {socket.IPPROTO_TCP, socket.IPPROTO_UDP}:
            source, target = (socket.inet_ntoa(frame[at : at + 4]) for at in (26, 30))
            ports = struct.unpack_from(">HH", frame, 34)
            yield frame[23], ((source, ports[0]), (target, ports[1])), frame


def syn(frame):
    """What a fingerprint would read of a SYN or SYN-ACK."""
    size = (frame[46] >> 4) * 4 - 20
    return {
        "TTL": frame[22],
        "type of service": frame[15],
        "don't fragment": frame[20] >> 6 & 1,
        "identification parity": frame[19] & 1,
        "window": struct.unpack_from(">H", frame, 48)[0],
        "options length": size,
        "options": sum(frame[54 : 54 + size][:12]),
        "sequence parity": frame[41] & 1,
        "sequence, high byte": frame[38],
    }


def mac(frame):
    """Of a SYN that a phone sends. Its gateway's is one per scenario and seed: test_no_shortcut.py judges that."""
    return {"MAC, vendor": frame[8], "MAC, last octet": frame[11]}


def hello(body):
    """JA4's parts (FoxIO, JA4 technical details) of a ClientHello, ALPN and ALPS among its extensions; no SNI."""
    at = 34 + 1 + body[34]
    ciphers = struct.unpack_from(f">{struct.unpack_from('>H', body, at)[0] // 2}H", body, at + 2)
    at += 2 + 2 * len(ciphers)
    at += 1 + body[at] + 2
    found, size = {}, len(body)
    while at + 4 <= size:
        kind, length = struct.unpack_from(">HH", body, at)
        found[kind] = body[at + 4 : at + 4 + length]
        at += 4 + length
    ciphers = sorted({*ciphers} - GREASE)
    kinds = sorted({*found} - GREASE - {SERVER_NAME, 21, 41, 65037})  # padding, PSK, ECH: manners
    text = ",".join(map(str, ciphers)), ",".join(map(str, kinds))
    return {
        "JA4, ciphers": int(hashlib.sha256(text[0].encode()).hexdigest()[:8], 16),
        "JA4, extensions": int(hashlib.sha256(text[1].encode()).hexdigest()[:8], 16),
        "how many ciphers": len(ciphers),
        "TLS 1.3": VERSIONS in found,
        "random parity": body[2] & 1,
        "session id, high byte": body[35] if body[34] else -1,
    }


def certificate(stream):
    """Of a TLS 1.2 server's first flight: issuer, lifetime, names and size of its certificate; None if it is sealed."""
    body, at = b"", 0
    while at + 5 <= len(stream) and stream[at] == 22:
        size = struct.unpack_from(">H", stream, at + 3)[0]
        body, at = body + stream[at + 5 : at + 5 + size], at + 5 + size
    at = 0
    while at + 4 <= len(body):
        size = int.from_bytes(body[at + 1 : at + 4], "big")
        if body[at] == 11 and at + 4 + size <= len(body):
            first = int.from_bytes(body[at + 7 : at + 10], "big")
            one = x509.load_der_x509_certificate(body[at + 10 : at + 10 + first])
            return {
                "certificate, issuer": sum(one.issuer.public_bytes()),
                "certificate, lifetime": (one.not_valid_after_utc - one.not_valid_before_utc).days,
                "certificate, names": sum(1 for known in one.extensions if known.oid.dotted_string == "2.5.29.17"),
                "certificate, bytes": size,
            }
        at += 4 + size
    return None


def quic(frame):
    """What a long header says in the clear (RFC 9000 section 17.2); None if it is no Initial of version 1."""
    data = frame[42:]
    if len(data) < 1_000 or data[:1] < b"\xc0" or data[1:5] != b"\0\0\0\1":
        return None
    there = data[5]
    return {
        "QUIC, TTL": frame[22],
        "QUIC, size": len(data),
        "QUIC, length of the server's id": there,
        "QUIC, length of the client's id": data[6 + there],
        "QUIC, first byte of an id": data[6] if there else -1,
    }


def told(data):
    """(kind of row, client-side ends, traits) of what a capture shows; a certificate's ends are its client's."""
    streams, spoken = {}, set()
    for protocol, ends, frame in packets(data):
        if protocol == socket.IPPROTO_UDP:
            if (seen := quic(frame)) is not None and ends[0][0].startswith("10.88."):
                yield "quic", ends, seen
            continue
        if frame[47] & SYN:
            answer = bool(frame[47] & ACK)
            yield "syn-ack" if answer else "syn", ends[::-1] if answer else ends, syn(frame)
            if not answer:
                yield "mac", ends, mac(frame)
            continue
        said = frame[34 + (frame[46] >> 4) * 4 : 14 + struct.unpack_from(">H", frame, 16)[0]]
        if not said or ends in spoken:
            continue
        stream = streams.setdefault(ends, bytearray())
        stream += said
        if stream[:1] != b"\x16" or len(stream) > 8_192:
            spoken.add(ends)
        elif stream[5:6] == b"\x01" and len(stream) >= 9 + int.from_bytes(stream[6:9], "big"):
            spoken.add(ends)
            yield "hello", ends, hello(bytes(stream[9 : 9 + int.from_bytes(stream[6:9], "big")]))
        elif stream[5:6] == b"\x02" and (seen := certificate(bytes(stream))) is not None:
            spoken.add(ends)
            yield "certificate", ends[::-1], seen


def flights(data):
    """(client-side ends, traits) of TLS over TCP whose client speaks thrice: what leaves behind the server's first flight.

    In TLS 1.3 that is Finished, alone or with the first request. How much the server answers is what an app is for.
    """
    runs = {}
    for protocol, ends, frame in packets(data):
        if protocol != socket.IPPROTO_TCP:
            continue
        said = frame[34 + (frame[46] >> 4) * 4 : 14 + struct.unpack_from(">H", frame, 16)[0]]
        if not said:
            continue
        of = ends if ends in runs or ends[::-1] not in runs else ends[::-1]
        mine = runs.setdefault(of, [[ends, 0, said[:1]]])
        if mine[-1][0] != ends:
            mine.append([ends, 0, said[:1]])
        mine[-1][1] += len(said)
        if len(mine) == 5 and mine[0][2] == mine[1][2] == b"\x16":
            mine.append([None, 0, b""])  # told
            second, third = (size for _, size, _ in mine[1:3])
            yield (
                of,
                {
                    "server's first flight": second,
                    "client's first words": third,
                    "client's first words, at most a Finished": third <= FINISHED,
                },
            )


def rewritten(capture, known):
    """The capture with a leak in the packets of four in ten malicious flows: another TTL, MAC, first cipher, and
    TLS 1.3's Finished all alone."""
    data, place = bytearray(capture), 24
    for _, ends, frame in packets(capture):
        while data[place + 16 : place + 16 + len(frame)] != frame:
            place += 16 + struct.unpack_from("<I", data, place + 8)[0]
        flow = ends if ends in known else ends[::-1]
        if known.get(flow) and flow[0][1] % 10 < 4:
            leaky = bytearray(frame)
            leaky[22] = 77
            leaky[11] = 77 if flow == ends else leaky[11]
            start = 34 + (frame[46] >> 4) * 4
            if (
                frame[23] == socket.IPPROTO_TCP
                and frame[start : start + 1] + frame[start + 5 : start + 6] == b"\x16\x01"
            ):
                at = start + 9 + 35 + frame[start + 9 + 34] + 4
                leaky[at : at + 2] = b"\x77\x77"
            if flow == ends and frame[23] == socket.IPPROTO_TCP and frame[start : start + 1] in {b"\x14", b"\x17"}:
                leaky[16:18] = min(struct.unpack_from(">H", frame, 16)[0], start - 14 + 80).to_bytes(2, "big")
            data[place + 16 : place + 16 + len(frame)] = leaky
        place += 16 + len(frame)
    return bytes(data)
