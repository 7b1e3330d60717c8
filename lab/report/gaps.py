"""What was not shown: what each view withholds, and what of a run no detector could have seen there.

Pure. A gap is neither a miss nor a pass; it says which sensor would be needed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lab.report import words
from lab.report.ladder import Json

WITHHELD = {
    "full": "nothing",
    "no-decryption": "decrypted requests",
    "no-state": "screen, lock and power of the phone",
    "no-app": "which app spoke, sockets, names of devices",
    "no-sni": "names in TLS and look-ups (ECH, DNS over TLS or HTTPS)",
    "netflow": "everything but flow records: exchanges, names, apps",
    "dns-only": "everything but look-ups",
    "sampled-1in100": "99 of 100 packets",
}


@dataclass(frozen=True)
class Gap:
    """One view: what it withholds, incidents of which no row was shown (of all), and why detectors could not run."""

    view: str
    withheld: str
    unseen: int
    incidents: int
    refused: tuple[str, ...]


def gaps(card: Json, tested: Sequence[str]) -> list[Gap]:
    """The views of a run, from the widest to the narrowest."""
    views = {view for name in tested for view in card["detectors"][name]["views"]}
    return [_gap(card, tested, view) for view in sorted(views, key=words.ladder_order)]


def lacking(tables: Mapping[str, int]) -> list[str]:
    """What is said of a recording's tables, given as rows by name, that hold nothing."""
    return [f"{name} holds nothing" for name, rows in sorted(tables.items()) if not rows]


def _gap(card: Json, tested: Sequence[str], view: str) -> Gap:
    met = {
        (row["scenario"], row["seed"], row["incident"]): row["verdict"] == "unseen"
        for row in card["incidents"]
        if row["view"] == view and row["detector"] in tested
    }
    refused = {
        f"{row['detector']}: {row['reason']}"
        for row in card["unscored"]
        if row["view"] == view and row["detector"] in tested and row["status"] == "unsupported"
    }
    return Gap(view, WITHHELD.get(view, "unknown"), sum(met.values()), len(met), tuple(sorted(refused)))
