"""How an app's requests travel: HTTP/1.1, HTTP/2 or QUIC, behind which name, and where its look-ups go.

One place for honest and dishonest apps, so that both say the same with the same settings. It draws nothing.
"""

from __future__ import annotations

import numpy as np

from lab.behaviours import Int64
from lab.draft import Draft

CARRIERS = ("http", "http2", "quic")
NAMINGS = ("name", "none", "ech", "foreign")
FRONTS = ("none", "cdn")
REACHES = ("vendor", "own", "literal", "popular", "tenant", "tail", "fresh")
RESOLVERS = ("dns", "dns-tcp", "dot", "doh")
QTYPES = ("TXT", "A", "AAAA", "NULL", "HTTPS")
DNS_PORTS = {"dns": 53, "dns-tcp": 53, "dot": 853, "doh": 443}  # RFC 1035, 7766, 7858, 8484
OUTER = "popular"  # whose name an ECH outer hello shows: the provider's (RFC 9849 section 6.1, public_name)


def web(
    draft: Draft,
    reach: str,
    *,
    carrier: str = "http",
    tls: bool = True,
    port: int = 0,
    method: str = "auto",
    naming: str = "name",
    front: str = "none",
    resume: bool = False,
) -> tuple[int, int]:
    """(speech, peer) of requests to a new host of that reach.

    ``carrier`` http, http2 (always TLS) or quic (UDP, TLS inside); ``port`` 0 is the usual one. ``naming`` name: the
    host's own in the ClientHello; none: no SNI; ech: an outer name and an encrypted inner one; foreign: the name of a
    popular host that the connection does not go to. ``front`` cdn: the
    connection goes to a popular host, SNI and address are the popular host's, Host says the app's own. ``resume``: TLS
    sessions are resumed. Without TLS, naming and resumption do not apply.
    """
    options = {} if method == "auto" or carrier == "quic" else {"method": method}
    tls = tls or carrier == "http2"
    peer = draft.peer(OUTER if front == "cdn" else reach)
    if front == "cdn" and carrier != "quic":
        options["host"] = f"@{draft.peer(reach)}"
    if tls or carrier == "quic":
        options |= _hello(draft, naming, resume=resume)
    chosen = port or (443 if tls or carrier == "quic" else 80)
    return draft.speech(carrier, tls=tls and carrier != "quic", port=chosen, **options), peer


def _hello(draft: Draft, naming: str, *, resume: bool) -> dict[str, str]:
    """Options of the ClientHello, those that differ from an ordinary one."""
    options = {"resume": "1"} if resume else {}
    if naming == "none":
        options["sni"] = "none"
    elif naming == "ech":
        options |= {"sni": f"@{draft.peer(OUTER)}", "ech": "1"}
    elif naming == "foreign":
        options["sni"] = f"@{draft.peer(OUTER)}"
    return options


def afresh(draft: Draft, speech: int) -> int:
    """The same way of speaking without resumption: how a host is spoken to before it has given a ticket."""
    known = draft.speeches[speech]
    options = {name: value for name, value in known.options.items() if name != "resume"}
    return draft.speech(known.protocol, tls=known.tls, port=known.port, **options)


def ticketed(draft: Draft, speeches: Int64 | int, peers: Int64 | int, count: int) -> Int64:
    """(count,) ways of speaking in order of time: the first with each peer afresh, as it has given no ticket yet."""
    found = np.empty(count, dtype=np.int64)
    found[:] = speeches
    if not any("resume" in speech.options for speech in draft.speeches):
        return found
    _, firsts = np.unique(np.broadcast_to(peers, (count,)), return_index=True)
    resumed = {speech for speech in set(found[firsts].tolist()) if "resume" in draft.speeches[speech].options}
    plain = {speech: afresh(draft, speech) for speech in sorted(resumed)}
    found[firsts] = [plain.get(speech, speech) for speech in found[firsts].tolist()]
    return found


def asked(draft: Draft, carrier: str, *, qtype: str) -> tuple[int, int]:
    """(speech, peer) of questions under the app's own zone.

    dns and dns-tcp ask the device's resolver; dot and doh a public one, whose name the ClientHello shows, under the
    zone that option ``zone`` names.
    """
    protocol = "doh" if carrier == "doh" else "dns" if carrier == "dns" else "dns_tcp"
    if carrier in {"dns", "dns-tcp"}:
        return draft.speech(protocol, port=DNS_PORTS[carrier], qtype=qtype), draft.peer("resolver")
    peer, zone = draft.peer("popular"), draft.peer("resolver")
    return draft.speech(protocol, tls=True, port=DNS_PORTS[carrier], qtype=qtype, zone=f"@{zone}"), peer
