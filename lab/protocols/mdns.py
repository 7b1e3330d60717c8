"""Multicast DNS (RFC 6762) and service discovery (RFC 6763): one-shot questions to the group, answers of neighbours.

A question leaves from a port of its own and is answered there by unicast (RFC 6762 sections 5.1 and 6.7).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

import dnslib

from lab.protocols import Dialogue, Message, drawn, exchanges, filler_text, fresh

TRANSPORT = "udp"

_SERVICE = "_googlecast._tcp.local"
_OTHERS = ("_services._dns-sd._udp.local", "_airplay._tcp.local", "_ipp._tcp.local", "_http._tcp.local")
_LEGACY_TTL_S = 10  # the most that a one-shot answer may be kept, RFC 6762 section 6.7
_LARGEST = 1_400  # bytes
_STRING = 255  # RFC 1035 section 3.3
_AUTHORITATIVE = 1


def messages(dialogue: Dialogue) -> Iterator[Message]:
    """``up``: a question for a service, and for more while they fit in ``up``; ``down``: the answer of a neighbour.

    Who asks the group is answered in other conversations, those of the neighbours, whose exchanges have no ``up``. An
    answer holds PTR, SRV, TXT and address, and its TXT fills ``down``, 1400 bytes at most. Option ``service`` (default
    _googlecast._tcp.local). The identifier is 0 both ways, as the answer has to repeat it.
    """
    service = dialogue.options.get("service", _SERVICE)
    name, port = fresh(dialogue.rng, 6).hex(), drawn(dialogue.rng, 1_024, 65_535)
    for time, up, down, delay in exchanges(dialogue):
        if up:
            yield Message(time, True, _question(service, up))
        if down:
            yield Message(time + delay, False, _answer(dialogue, service, name, port, down), not up)


def _question(service: str, size: int) -> bytes:
    asked = dnslib.DNSRecord(dnslib.DNSHeader(id=0, rd=0), q=dnslib.DNSQuestion(service, dnslib.QTYPE.PTR))
    said = bytes(asked.pack())
    for other in _OTHERS:
        if other == service:
            continue
        asked.add_question(dnslib.DNSQuestion(other, dnslib.QTYPE.PTR))
        more = bytes(asked.pack())
        if len(more) > size:
            break
        said = more
    return said


def _answer(dialogue: Dialogue, service: str, name: str, port: int, size: int) -> bytes:
    short = _records(dialogue, service, (name, port), [b"id=" + name.encode()])
    room = min(size, _LARGEST, dialogue.room) - len(short)
    lengths = [min(_STRING, room - at - 1) for at in range(0, room, _STRING + 1)]
    more = [b"d=" + filler_text(dialogue.rng, length - 2) for length in lengths if length > 2]
    return _records(dialogue, service, (name, port), [b"id=" + name.encode(), *more]) if more else short


def _records(dialogue: Dialogue, service: str, who: tuple[str, int], texts: list[bytes]) -> bytes:
    name, port = who
    reply = dnslib.DNSRecord(dnslib.DNSHeader(id=0, qr=1, aa=_AUTHORITATIVE, rd=0, ra=0))
    reply.add_question(dnslib.DNSQuestion(service, dnslib.QTYPE.PTR))
    instance, target = f"{name}.{service}", f"{name}.local"
    reply.add_answer(dnslib.RR(service, dnslib.QTYPE.PTR, rdata=dnslib.PTR(instance), ttl=_LEGACY_TTL_S))
    found = [(instance, "SRV", dnslib.SRV(0, 0, port, target)), (instance, "TXT", dnslib.TXT(texts))]
    address = _address_of(dialogue.host)
    found += [(target, "A", dnslib.A(address))] if address else []
    for owner, kind, data in found:
        reply.add_ar(dnslib.RR(owner, getattr(dnslib.QTYPE, kind), rdata=data, ttl=_LEGACY_TTL_S))
    return bytes(reply.pack())


def _address_of(host: str) -> str:
    """The neighbour's IPv4 address; nothing for a name."""
    try:
        return str(ipaddress.IPv4Address(host))
    except ValueError:
        return ""
