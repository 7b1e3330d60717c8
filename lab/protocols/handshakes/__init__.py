"""TLS handshakes recorded from real stacks (lab/protocols/data), and how they are patched: shapes, hellos, keys.

A ``Shape`` is one client stack and version with what one OpenSSL server answered it. Nothing here knows a
conversation; lab/protocols/tls.py does. Made by tests/record_tls.py.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

HANDSHAKE, ALERT, CHANGE_CIPHER, APPLICATION = 22, 21, 20, 23  # record content types, RFC 8446 section 5.1


@dataclass(frozen=True)
class Record:
    """One recorded TLS record: its clear body, or the length of an encrypted one (body is empty then)."""

    kind: int
    version: bytes
    body: bytes
    sealed: int  # bytes of an encrypted body; 0: clear

    def header(self, size: int) -> bytes:
        """The five bytes in front of a body of ``size`` bytes."""
        return bytes([self.kind]) + self.version + size.to_bytes(2, "big")


@dataclass(frozen=True)
class Shape:
    """One recorded handshake: client flights are ClientHello, then the rest; the server's likewise."""

    name: str
    stack: str  # provenance: product and version
    version: str  # TLSv1.2 or TLSv1.3
    cipher: str
    selected_alpn: str  # "" where the client offered none
    pads: bool  # the stack fills hellos of 256 to 511 bytes up to 512, RFC 7685
    permutes: bool  # every hello has GREASE values and an order of extensions of its own
    client: tuple[Record, ...]
    server: tuple[Record, ...]

    @property
    def modern(self) -> bool:
        """Whether TLS 1.3 was negotiated."""
        return self.version == "TLSv1.3"

    @property
    def overhead(self) -> int:
        """Bytes a record adds to its plaintext behind the header: RFC 8446 section 5.2, RFC 5288, RFC 7905."""
        if self.modern:
            return 1 + 16  # content type and tag
        return 16 if "CHACHA20" in self.cipher else 8 + 16  # explicit nonce and tag


@dataclass(frozen=True)
class Manner:
    """How a client says hello, beside its shape: which name, encrypted or not, to a server it knows or not."""

    sni: str | None = None  # the name in clear; None: the server's own, "": none
    ech: bool = False  # an encrypted_client_hello extension; TLS 1.3 only
    resume: bool = False  # a session resumed
    carried: bool = False  # somebody else's TLS passes through: in TLS 1.3 his Finished comes with his first request


PLAIN = Manner()


@lru_cache(maxsize=1)
def shapes() -> tuple[Shape, ...]:
    """Every recorded shape, in the order of the data file: a timeline's ``stack`` is an index into it."""
    text = files("lab.protocols").joinpath("data/handshakes.json").read_text("ascii")
    return tuple(_shape(entry) for entry in json.loads(text))


def _shape(entry: dict[str, object]) -> Shape:
    name, stack, version = (str(entry[key]) for key in ("name", "stack", "version"))
    cipher, alpn = (str(entry[key]) for key in ("cipher", "selected_alpn"))
    client, server = _records(entry["client"]), _records(entry["server"])
    return Shape(name, stack, version, cipher, alpn, bool(entry["pads"]), bool(entry["permutes"]), client, server)


def _records(rows: object) -> tuple[Record, ...]:
    assert isinstance(rows, list)
    found = []
    for kind, version, body in rows:
        sealed = body if isinstance(body, int) else 0
        clear = b"" if isinstance(body, int) else bytes.fromhex(body)
        found.append(Record(kind, bytes.fromhex(version), clear, sealed))
    return tuple(found)
