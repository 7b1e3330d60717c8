"""SSDP (UPnP Device Architecture 1.1, section 1): searches and notices to a multicast group, answers of neighbours."""

from __future__ import annotations

from collections.abc import Iterator

from lab.protocols import Dialogue, Message, drawn, exchanges, filler_text, fresh

TRANSPORT = "udp"

_GROUP = "239.255.255.250:1900"
_LARGEST = 1_400  # bytes
_MAX_AGE_S = 1_800  # the least that section 1.2.2 recommends


def messages(dialogue: Dialogue) -> Iterator[Message]:
    """``up``: an M-SEARCH, or with option ``say`` = notify a NOTIFY; ``down``: the answer of a neighbour to a search.

    Who asks the group is answered in other conversations, those of the neighbours, whose exchanges have no ``up``. What
    is shorter than ``up`` or ``down`` is filled in a field of its own, 1400 bytes at most. Option ``st``, the target
    of a search (default ssdp:all), or what is noticed. ValueError: another ``say``.
    """
    say = dialogue.options.get("say", "search")
    if say not in {"search", "notify"}:
        raise ValueError(f"say {say!r}: known are notify, search")
    target = dialogue.options.get("st", "ssdp:all" if say == "search" else "upnp:rootdevice")
    device = _uuid(fresh(dialogue.rng, 16))
    port = drawn(dialogue.rng, 1_024, 65_535)
    for time, up, down, delay in exchanges(dialogue):
        if up:
            lines = _search(dialogue, target) if say == "search" else _notice(dialogue, target, device, port)
            yield Message(time, True, _said(dialogue, lines, up))
        if down:
            yield Message(time + delay, False, _said(dialogue, _answer(dialogue, target, device, port), down), not up)


def _search(dialogue: Dialogue, target: str) -> list[str]:
    head = ["M-SEARCH * HTTP/1.1", f"HOST: {_GROUP}", 'MAN: "ssdp:discover"', "MX: 3", f"ST: {target}"]
    return [*head, f"USER-AGENT: {dialogue.agent}"]


def _notice(dialogue: Dialogue, target: str, device: str, port: int) -> list[str]:
    head = ["NOTIFY * HTTP/1.1", f"HOST: {_GROUP}", f"CACHE-CONTROL: max-age={_MAX_AGE_S}", f"NT: {target}"]
    where = f"LOCATION: http://{device}.local:{port}/description.xml"
    return [*head, "NTS: ssdp:alive", where, f"SERVER: {dialogue.agent} UPnP/1.1", f"USN: uuid:{device}::{target}"]


def _answer(dialogue: Dialogue, target: str, device: str, port: int) -> list[str]:
    what = "upnp:rootdevice" if target == "ssdp:all" else target
    head = ["HTTP/1.1 200 OK", f"CACHE-CONTROL: max-age={_MAX_AGE_S}", "EXT:"]
    where = f"LOCATION: http://{dialogue.host}:{port}/description.xml"
    return [*head, where, "SERVER: Linux/5.4 UPnP/1.1 MiniDLNA/1.3", f"ST: {what}", f"USN: uuid:{device}::{what}"]


def _said(dialogue: Dialogue, lines: list[str], size: int) -> bytes:
    """The lines as a message, with a field of filler where it would be shorter than ``size``."""
    said = "".join(f"{line}\r\n" for line in lines).encode()
    room = min(size, _LARGEST, dialogue.room) - len(said) - len(b"X-INFO: \r\n\r\n")
    return said + (b"X-INFO: " + filler_text(dialogue.rng, room) + b"\r\n" if room > 0 else b"") + b"\r\n"


def _uuid(drawn_bytes: bytes) -> str:
    """A random UUID, RFC 9562 section 5.4."""
    marked = bytearray(drawn_bytes)
    marked[6], marked[8] = 0x40 | marked[6] & 0x0F, 0x80 | marked[8] & 0x3F
    text = marked.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
