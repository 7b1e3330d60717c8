"""What kind of file it is, told by its first bytes and never by its name."""

from __future__ import annotations

import json
import re
from typing import Any

CAPTURES = tuple(bytes.fromhex(magic) for magic in ("a1b2c3d4", "d4c3b2a1", "a1b23c4d", "4d3cb2a1", "0a0d0d0a"))
ZEEK_TSV, ZEEK_JSON, EVE, PCAPDROID, NETFLOW_CSV, NETFLOW_JSON, HAR, BIND, INVENTORY, BUGREPORT = FORMS = (
    *("zeek-tsv", "zeek-json", "eve", "pcapdroid-csv", "netflow-csv", "netflow-json"),
    *("har", "bind-queries", "inventory", "bugreport"),
)
#: Files that tell of devices and not of traffic.
ASIDE = (INVENTORY, BUGREPORT)
#: Keys of which one line of a Zeek log in JSON has at least one.
_ZEEK_KEYS = ("id.orig_h", "id_orig_h", "_path", "@stream")
_NETFLOW_KEYS = ("src4_addr", "src6_addr", "dst4_addr", "dst6_addr")
#: First columns of nfdump's CSV output, releases 1.6 and 1.7.
_NETFLOW_HEADS = ("ts,te,td,", "firstseen,")
_BIND = re.compile(rb"client (?:@0x[0-9a-f]+ )?[0-9a-fA-F.:]+#\d+ .*: query: ")
_QUOTED = re.compile(r'"([^"\\]+)"\s*:')
_PACKAGE_COLUMN = re.compile(r"(?:^|[,;])\"?(?:package|package_?name|application_?id)\"?(?:[,;]|$)", re.IGNORECASE)


def is_capture(head: bytes) -> bool:
    """Whether a file that begins with these bytes is a pcap or pcapng."""
    return head[:4] in CAPTURES


def form_of(head: bytes) -> str | None:
    """The form, one of FORMS, of a file that begins with these bytes; None for a capture and for anything else."""
    if is_capture(head):
        return None
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    line = text.split(b"\n", 1)[0].strip()
    if line[:1] in (b"{", b"["):
        return _json(text, line)
    if line.startswith((b"#separator", b"#fields")):
        return ZEEK_TSV
    return _text(text) or _csv(line.decode("utf-8", "replace"))


def _text(text: bytes) -> str | None:
    if any(_BIND.search(one) for one in text.split(b"\n", 2)[:2]):
        return BIND
    return BUGREPORT if b"== dumpstate:" in text or b"DUMP OF SERVICE " in text else None


def _csv(line: str) -> str | None:
    if line.startswith("IPProto,SrcIP,"):
        return PCAPDROID
    if line.lower().replace(" ", "").startswith(_NETFLOW_HEADS):
        return NETFLOW_CSV
    return INVENTORY if _PACKAGE_COLUMN.search(line) else None


def _json(text: bytes, line: bytes) -> str | None:
    """By the keys of the first object; by words where the first line is no whole object."""
    first = _object(line)
    if first is None:
        words = text[:4096].decode("utf-8", "replace")
        return HAR if re.match(r'\{\s*"log"\s*:\s*\{', words) else _by_keys(set(_QUOTED.findall(words)))
    return HAR if isinstance(first.get("log"), dict) else _by_keys(set(first))


def _by_keys(keys: set[str]) -> str | None:
    if keys >= {"event_type", "timestamp"}:
        return EVE
    if keys.intersection(_NETFLOW_KEYS):
        return NETFLOW_JSON
    return ZEEK_JSON if "ts" in keys and keys.intersection(_ZEEK_KEYS) else None


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
