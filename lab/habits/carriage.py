"""How an app's requests travel: HTTP/1.1, HTTP/2 or QUIC, behind which name, and where its look-ups go.

One place for honest and dishonest apps, so that both say the same with the same settings. It draws nothing.
"""

from __future__ import annotations

import inspect

import numpy as np

from lab.behaviours import Bool, Int64
from lab.habits.draft import Draft

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
    made: str = "",
) -> tuple[int, int]:
    """(speech, peer) of requests to a new host of that reach.

    ``carrier`` http, http2 (always TLS) or quic (UDP, TLS inside); ``port`` 0 is the usual one. ``naming`` name: the
    host's own in the ClientHello; none: no SNI; ech: an outer name and an encrypted inner one; foreign: the name of a
    popular host that the connection does not go to. ``front`` cdn: the
    connection goes to a popular host, SNI and address are the popular host's, Host says the app's own. ``resume``: TLS
    sessions are resumed, but the first with a host (lab.habits.draft). Without TLS, naming and resumption do not apply.
    ``made``: the host is of a name that the app makes up itself (lab.behaviours.Peer).
    """
    options = {} if method == "auto" or carrier == "quic" else {"method": method}
    tls = tls or carrier == "http2"
    peer = draft.peer(OUTER) if front == "cdn" else draft.peer(reach, made)
    if front == "cdn" and carrier != "quic":
        options["host"] = f"@{draft.peer(reach, made)}"
    if tls or carrier == "quic":
        options |= _hello(draft, naming, resume=resume)
    chosen = port or (443 if tls or carrier == "quic" else 80)
    return draft.speech(carrier, tls=tls and carrier != "quic", port=chosen, **options), peer


_WEB = [name for name, one in inspect.signature(web).parameters.items() if one.kind is one.KEYWORD_ONLY]


def carried(
    draft: Draft, behaviour: object, reach: str, *, method: str | None = None, made: str = ""
) -> tuple[int, int]:
    """``web`` by the settings of a behaviour: its own of those names, the defaults of the rest; or with this method."""
    own = {name: getattr(behaviour, name) for name in _WEB if hasattr(behaviour, name)} | {"made": made}
    return web(draft, reach, **own if method is None else own | {"method": method})


def opening(times: Int64, place: Int64, keep_us: int) -> Bool:
    """Which contacts open a connection: the first, those to another host, those later than one is kept."""
    opens = np.ones(len(times), dtype=np.bool_)
    opens[1:] = (np.diff(times) > keep_us) | (np.diff(place) != 0)
    return opens


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
