"""TLS contexts by server name: a leaf per name from the plan's pki folder, each loaded once."""

from __future__ import annotations

import ssl
from pathlib import Path


class Contexts:
    """Leaves are ``<name or address>.pem``, certificate chain and key in one file."""

    def __init__(self, pki: Path) -> None:
        self._pki = pki
        self._made: dict[tuple[str, tuple[str, ...]], ssl.SSLContext] = {}

    def at(self, address: str, alpn: tuple[str, ...]) -> ssl.SSLContext:
        """For a connection accepted at ``address``: the leaf of the name the client asks for, else of the address.

        A client that asks for a name without a leaf gets an unrecognized_name alert (RFC 6066 section 3), one without
        a name at an address without a leaf gets no certificate and fails.
        """
        key = (f"at {address}", alpn)
        if key not in self._made:
            here = self._leaf(address, alpn) or _bare(alpn)

            def choose(tls: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> int | None:
                found = self._leaf(name, alpn) if name else here
                if found is None:
                    return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
                tls.context = found
                return None

            context = _bare(alpn)
            if self._file(address):
                context.load_cert_chain(str(self._file(address)))
            context.sni_callback = choose
            self._made[key] = context
        return self._made[key]

    def _file(self, name: str) -> Path | None:
        path = self._pki / f"{name}.pem"
        return path if "/" not in name and path.is_file() else None

    def _leaf(self, name: str, alpn: tuple[str, ...]) -> ssl.SSLContext | None:
        key = (name.lower(), alpn)
        path = self._file(name.lower())
        if key not in self._made and path:
            context = _bare(alpn)
            context.load_cert_chain(str(path))
            self._made[key] = context
        return self._made.get(key)


def _bare(alpn: tuple[str, ...]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if alpn:
        context.set_alpn_protocols(list(alpn))
    return context
