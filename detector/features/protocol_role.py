"""Whether an app speaks a protocol its category has no use for: mail from a torch, raw tunnels from a game.

Needs packages and app_proto. Raised wrongly by apps with a wrong category, and by feedback by mail.
"""

from __future__ import annotations

from collections.abc import Collection

#: Protocols any app may speak.
EVERYDAY = frozenset({"tls", "http", "https", "quic", "dns", "websocket", "ntp"})


def protocol_role(protocols: Collection[str], allowed: Collection[str] | None) -> float | None:
    """Share of the ``protocols`` spoken that are neither everyday nor ``allowed`` for the category.

    None where the category or every protocol is unknown.

    >>> protocol_role(["imap"], ["imap", "smtp"])
    0.0
    >>> protocol_role(["imap"], [])
    1.0
    """
    if allowed is None or not protocols:
        return None
    return sum(protocol not in EVERYDAY and protocol not in allowed for protocol in protocols) / len(protocols)
