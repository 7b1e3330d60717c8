"""Protocols that show themselves in a banner or a first command: mail, SSH, FTP, RDP, MQTT, adb and the like.

Rule: bytes in, the protocol's name or None out. Nothing is guessed from a port here.
"""

from __future__ import annotations

import re

_SMTP_CLIENT = re.compile(rb"(?:EHLO|HELO|LHLO)[ \r\n]", re.IGNORECASE)
_FTP_CLIENT = re.compile(rb"(?:USER |AUTH |FEAT|PASS |QUIT|SYST)", re.IGNORECASE)
_IMAP_CLIENT = re.compile(
    rb"[A-Za-z0-9.]{1,16} (?:CAPABILITY|LOGIN|AUTHENTICATE|STARTTLS|SELECT|EXAMINE|ID|NOOP|LIST|IDLE)[ \r\n]",
    re.IGNORECASE,
)
_IMAP_BANNER = re.compile(rb"\* (?:OK|PREAUTH|BYE)[ \r\n]")
_POP3_BANNER = re.compile(rb"(?:\+OK|-ERR)[ \r\n]")
_SMTP_BANNER = re.compile(rb"220[ -][^\r\n]*(?:SMTP|mail)", re.IGNORECASE)
_MQTT = re.compile(rb"\x10(?:[\x80-\xff]{0,3}[\x00-\x7f])\x00(?:\x04MQTT|\x06MQIsdp)", re.DOTALL)
_XMPP = re.compile(rb"(?:<\?xml[^>]*>\s*)?<stream:stream[ >]")


def banner(up: bytes, down: bytes) -> str | None:
    """The TCP protocol that a banner of the server or a first command of the client gives away, or None."""
    if up[:4] == b"SSH-" or down[:4] == b"SSH-":
        return "ssh"
    return _mail(up, down) or _command(up)


def _mail(up: bytes, down: bytes) -> str | None:
    """RFC 5321 section 4.2, RFC 959, RFC 9051 section 7.1, RFC 1939 section 3: who greets, and how."""
    if _SMTP_CLIENT.match(up):
        return "smtp"
    if down[:3] == b"220" and down[3:4] in (b" ", b"-"):
        if _FTP_CLIENT.match(up):
            return "ftp"
        return "smtp" if _SMTP_BANNER.match(down) else None
    if _IMAP_BANNER.match(down) or (not down and _IMAP_CLIENT.match(up)):
        return "imap"
    return "pop3" if _POP3_BANNER.match(down) else None


def _command(up: bytes) -> str | None:
    if _MQTT.match(up):
        return "mqtt"
    if up[:4] == b"CNXN" and len(up) >= 24:  # adb: system/core, protocol.txt
        return "adb"
    if up[:2] == b"\x03\x00" and up[5:6] == b"\xe0":  # TPKT (RFC 1006) with an X.224 connection request
        return "rdp"
    if up[:20] == b"\x13BitTorrent protocol":
        return "bittorrent"
    if up[:24] == b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n":  # RFC 9113 section 3.4
        return "http2"
    return "xmpp" if _XMPP.match(up) else None
