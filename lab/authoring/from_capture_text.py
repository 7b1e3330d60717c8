"""The text of a scenario proposed after a capture: each value with what was measured, assumed or must be asked."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np

from lab.authoring.fields import EARLIEST, LATEST
from lab.authoring.from_capture import RECORD, Candidate
from lab.authoring.kinds import behaviour_class
from lab.console import printable

MEASURED, ASSUMED, ASK = "measured", "ASSUMED", "QUESTION"
PACKAGE = "com.orchard.lantern"
SPOKEN = ("tls", "http", "quic", "websocket", "dns")  # what some kind polls by
FASTEST_SYNC_S = 5.0
PING_S = 55.0  # of websocket-poll, unless one was measured
COVERED = 0.8  # of the capture, below which its contacts are imitated alone, without what is before and behind
MINUTE_US, MOST_MINUTES = 60_000_000, 31 * 24 * 60
OPEN_AT_LOCK = 0.2  # of what is likely, what hours, lock and Doze of a drawn phone leave at least


@dataclass(frozen=True)
class Source:
    """Where a candidate was found: the capture's name, its first and last microsecond, the owner's label."""

    name: str
    span: tuple[int, int]
    label: str = ""
    partial: str | None = None


def text_of(name: str, candidate: Candidate, source: Source) -> str:
    """The scenario's TOML: it loads, and ``scenario check`` proves its ``[[expect]]``."""
    source = replace(source, span=_covered(candidate, source.span))
    minutes = _minutes(source.span)
    lines = [*_head(name, candidate, source, minutes), "", *_app(candidate), *_behaviour(candidate, source.label), ""]
    return "\n".join([*lines, *_expect(candidate, source.label, minutes)]) + "\n"


def kind_of(candidate: Candidate, label: str) -> str:
    """The kind of behaviour that carries it: a poll if labelled, an honest sync if not, where one keeps such a pace."""
    protocol = candidate.group.protocol
    if protocol in {"dns", "websocket"}:
        return f"{protocol}-poll"
    return "http-poll" if label or candidate.law.period_s < FASTEST_SYNC_S else "periodic-sync"


def _said(key: str, value: object, why: str) -> str:
    text = value if isinstance(value, str) and value.startswith(("[", "{")) else json.dumps(value, ensure_ascii=False)
    return f"{key} = {text}  # {_safe(why)}"


def _safe(text: str) -> str:
    """A comment of one line: a name in a packet must not end it."""
    return printable(text).replace("\n", " ").replace("\t", " ")


def _minutes(span: tuple[int, int]) -> int:
    return min(max(math.ceil((span[1] - span[0]) / MINUTE_US), 1), MOST_MINUTES)


def _covered(candidate: Candidate, span: tuple[int, int]) -> tuple[int, int]:
    """The capture's span, or that from the first contact to the last and a sleep more where it is much shorter."""
    first, last = (int(candidate.group.times[edge]) for edge in (0, -1))
    until = last + int(candidate.law.mean_s * 1e6)
    return (first, until) if until - first < COVERED * (span[1] - span[0]) else span


def _head(name: str, candidate: Candidate, source: Source, minutes: int) -> list[str]:
    group, law = candidate.group, candidate.law
    who = f"{group.package or 'an unknown app'} on {group.device} to {group.peer}"
    begun = datetime.fromtimestamp(source.span[0] // 1_000_000, UTC)
    start = [f"start = {begun.isoformat().replace('+00:00', 'Z')}  # {MEASURED}: when the span begins in the capture"]
    cut = f"; {ASSUMED} shorter, 31 days are the most" if minutes == MOST_MINUTES else ""
    said = "a poll like this one" if source.label else "an app that reports like this one"
    return [
        f"# {name}: proposed after a capture. `droidrange scenario check {name}.toml` proves it.",
        _safe(f"# from {source.name}: {who}, {len(group.times)} contacts in {group.flows} flows or look-ups"),
        *([_safe(f"# PARTIAL EVIDENCE: {source.partial}")] if source.partial else []),
        _said("question", f"Is {said} of every {law.period_s:.4g} s told for what it is?", f"{ASK}: what do you ask?"),
        _said("span", f"{minutes}m", f"{MEASURED}: the capture's, or its contacts' where much shorter{cut}"),
        *(start if EARLIEST <= begun < LATEST else [f"# {ASSUMED}: the default start; the capture says {begun}"]),
        _said("devices", 1, f"{ASSUMED}: one phone"),
        "",
        "[state]",
        _said("profile", "office-worker", f"{ASK}: whose phone was it? Screen and lock go by this"),
        "",
        "[background]",
        _said("apps", 5, f"{ASSUMED}: ordinary apps beside it; nothing of the capture's other traffic is imitated"),
    ]


def _app(candidate: Candidate) -> list[str]:
    silences, known = candidate.law.silences, candidate.opening.doze
    held = {
        None: f"{ASSUMED}: Doze does not hold it back; the capture does not show Doze",
        True: f"{MEASURED}: it was in contact in Doze",
        False: f"{MEASURED}: it was silent in Doze",
    }[known]
    if known is None and silences:
        held = f"{ASSUMED}: its {silences} long silences are those of Doze, which the capture does not show"
    app = f"which app is it? The capture says {candidate.group.package or 'nothing'}; names here must tell nothing"
    return [
        "[[app]]",
        _said("package", PACKAGE, f"{ASK}: {app}"),
        _said("category", "tools", f"{ASK}: what is the app for? A capture cannot tell"),
        _said("exempt", not _held_back(candidate), held),
    ]


def _held_back(candidate: Candidate) -> bool:
    """Whether Doze holds it back: seen to, or likely by its silences where Doze is not seen."""
    doze = candidate.opening.doze
    return candidate.law.silences > 0 if doze is None else not doze


def _behaviour(candidate: Candidate, label: str) -> list[str]:
    kind = kind_of(candidate, label)
    given = f"{ASSUMED}: you said --label; the capture cannot tell"
    lines = ["[[app.behaviour]]", _said("kind", kind, _protocol(candidate))]
    asked = f'# label = "AN1793"  # {ASK}: is it malicious? Benign until you say'
    lines.append(_said("label", label, given) if label else asked)
    known = {one.name: one for one in fields(behaviour_class(kind))}
    rows = [*_carried(candidate, kind), *_timing(candidate, kind), *_hours(candidate), *_sizes(candidate)]
    if candidate.sizes.up is None or candidate.sizes.down is None:
        lines.append(f"# {ASK}: how much is said? This sensor counted no bytes; what is not here is the kind's default")
    return lines + [_bounded(known[key], value, why) for key, value, why in rows if key in known]


Row = tuple[str, Any, str]


def _bounded(field: Any, value: Any, why: str) -> str:
    """The setting within its range; a value that had to move says so."""
    least, most = (field.metadata.get(edge) for edge in ("minimum", "maximum"))
    if isinstance(value, bool | str) or least is None or least <= value <= most:
        kept = value
    else:
        kept = min(max(value, least), most)
        why = f"{ASSUMED}: {value:.12g} is beyond what this kind can, {least} to {most}; {why}"
    if field.metadata.get("unit") == "s":
        return _said(field.name, f"{round(float(kept), 3):.12g}s", why)
    return _said(field.name, kept, why)


def _protocol(candidate: Candidate) -> str:
    spoken = candidate.group.protocol
    if spoken in SPOKEN:
        return f"{MEASURED}: most flows are {spoken}"
    return f"{ASSUMED}: HTTP; the capture says {spoken or 'no protocol'}, which no kind here polls by"


def _carried(candidate: Candidate, kind: str) -> list[Row]:
    group = candidate.group
    if kind == "dns-poll":
        types = ("TXT", "A", "AAAA", "NULL", "HTTPS")
        asked = group.qtype if group.qtype in types else "TXT"
        return [("qtype", asked, f"{MEASURED if asked == group.qtype else ASSUMED}: {group.qtype} was asked for")]
    clear = group.protocol in {"http", "websocket"}
    told = MEASURED if group.protocol in SPOKEN else ASSUMED
    why = f"{told}: port {group.port}, {group.protocol or 'unknown protocol'}"
    rows: list[Row] = [("carrier", "quic" if group.protocol == "quic" else "http", why), ("tls", not clear, why)]
    if kind == "websocket-poll":
        ping = group.ping_s and (f"{MEASURED}: median between its pings")
        return [*rows, ("port", group.port, why), *([("ping", group.ping_s, ping)] if ping else [])]
    rows += [("port", group.port, why)] if group.port and group.port != (80 if clear else 443) else []
    if not group.whole_flows and len(group.times) > 2 * group.flows:
        shared = f"{MEASURED}: {len(group.times)} contacts in {group.flows} flows, so connections are kept"
        rows.append(("keep", float(np.quantile(group.gaps_s, 0.95)) + 1, shared))
    return rows


def _timing(candidate: Candidate, kind: str) -> list[Row]:
    law = candidate.law
    rivals = ", ".join(f"{name} {error:.1%}" for name, error in sorted(law.rivals.items(), key=lambda one: one[1]))
    fit = f"{MEASURED}: {law.why}; quantiles miss by {law.error:.1%} of the median gap ({rivals})"
    median = f"{MEASURED}: fitted; the median gap is {np.median(candidate.group.gaps_s):.4g} s"
    none = f"{ASSUMED}: no contact brings more; the sizes below are those of all contacts"
    jitter = "flex" if kind == "periodic-sync" else "jitter"
    return [
        ("law", law.name, fit),
        ("period", law.period_s, median),
        (jitter, round(law.jitter, 3), f"{MEASURED}: fitted"),
        *([("sigma", round(law.sigma, 3), f"{MEASURED}: fitted")] if law.name == "lognormal" else []),
        ("wake", "service", f"{ASSUMED}: a timer of its own, that nothing rations"),
        ("shut", "wait", f"{ASSUMED}: what is due while it may not be in contact waits"),
        ("task_probability", 0.0, none),
        ("news_probability", 0.0, none),
    ]


def _hours(candidate: Candidate) -> list[Row]:
    opening = candidate.opening
    seen = f"{MEASURED}: contacts against the phone's lock"
    asked = f"{ASK}: does it wait for the lock? The capture has no device state"
    rows: list[Row] = [("gate", opening.gate, seen if opening.state_known else asked)]
    if opening.share < 1:
        why = f"{MEASURED}: no contact outside, UTC, whole hours"
        rows += [("from_hour", opening.from_hour, why), ("until_hour", opening.until_hour, why)]
    return rows


def _sizes(candidate: Candidate) -> list[Row]:
    sizes, group = candidate.sizes, candidate.group
    less = f", less the {RECORD} of a TLS record" if group.protocol == "tls" else ""
    why = f"{MEASURED}: median bytes of a contact{less}"
    if group.whole_flows:
        why = f"{MEASURED}, but of whole flows: this sensor sees no exchanges, and handshakes are counted in"
    rows: list[Row] = [(way, size, why) for way, size in (("up", sizes.up), ("down", sizes.down)) if size is not None]
    if not rows:
        return []
    return [*rows, ("spread", sizes.spread, f"{MEASURED}: holds the middle 90 % of sizes, both ways on average")]


def _expect(candidate: Candidate, label: str, minutes: int) -> list[str]:
    """Bounds around what the law promises for the span: a third more or less, and three deviations of a count.

    Where hours, lock or Doze hold it back, a fifth: how long they do so is drawn with the phone. Pings of a WebSocket
    count as contacts there.
    """
    likely = minutes * 60 * candidate.opening.share / max(candidate.law.mean_s, 1.0)
    apart = likely / 3 + 3 * math.sqrt(likely * candidate.law.dispersion) + 2
    opening = candidate.opening
    apart += likely / 2 if opening.share < 1 else 0  # a span begins and ends at any hour
    drawn = opening.gate != "always" or _held_back(candidate) or opening.share < 1
    least = likely * OPEN_AT_LOCK - 3 if drawn else likely - apart
    beats = minutes * 60 / (candidate.group.ping_s or PING_S) if kind_of(candidate, label) == "websocket-poll" else 0
    bounds = f"{{ at_least = {max(int(least), 1)}, at_most = {math.ceil(likely + apart + beats)} }}"
    count = len(candidate.group.times)
    paused = "; its silences are not imitated" if count < likely * 2 / 3 else ""
    seen = f"{MEASURED} {count} in the capture; {likely:.0f} by the law{paused}"
    return [
        "[[expect]]",
        _said("behaviour", kind_of(candidate, label), "what must be in the recording, whatever the seed"),
        _said("package", PACKAGE, "the app above: change both"),
        _said("contacts", bounds, seen),
    ]
