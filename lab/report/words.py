"""Numbers and names as a reader meets them: shares, rates, durations, and text that steers nothing.

What could not be measured is said to be so; it never becomes 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

NO_POISON = "no labelled behaviour there"
UNKNOWN = "n/a"
CANNOT_JUDGE = "cannot judge"
CLAIM = (
    "Measures how well a detector separates command polling (AN1793) and traffic relaying (AN1702) from the benign "
    "traffic that looks like them, at a stated false-alarm budget. It never says \N{LEFT DOUBLE QUOTATION MARK}detects "
    "C2\N{RIGHT DOUBLE QUOTATION MARK}."
)
ATTRIBUTION = (
    "Analytics AN1793 and AN1702: MITRE ATT&CK v19.1. \N{COPYRIGHT SIGN} 2026 The MITRE Corporation. This work is "
    "reproduced and distributed with the permission of The MITRE Corporation."
)
#: From the widest to the narrowest sensor (DESIGN section 5).
LADDER = ("full", "no-decryption", "no-state", "no-app", "no-sni", "netflow", "dns-only", "sampled-1in100")
UNSEEN = (
    "unseen: no flow, look-up or socket that this view shows is that incident's (a tunnel or the sensor hides it). "
    "It counts as not detected, in recall too."
)
ANALYTIC_NAMES = {"AN1793": "command polling", "AN1702": "traffic relaying"}


def plain(text: str) -> str:
    r"""The text without control and direction characters, which a hostile name may carry; one line stays one line.

    >>> plain("moc.\u202egro\x1b[31m")
    'moc.�gro�[31m'
    """
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def share(value: float | None) -> str:
    """A proportion in percent.

    >>> share(2 / 3), share(None)
    ('67 %', 'n/a')
    """
    return UNKNOWN if value is None else f"{100 * value:.0f} %"


def share_interval(bounds: Sequence[float] | None) -> str:
    """The interval of a proportion in percent.

    >>> share_interval([0.2, 0.954])
    '20 to 95 %'
    """
    return UNKNOWN if bounds is None else f"{100 * bounds[0]:.0f} to {100 * bounds[1]:.0f} %"


def rate(value: float | None) -> str:
    """A rate to three significant digits.

    >>> rate(0.12345), rate(0.0), rate(1234.5), rate(None)
    ('0.123', '0', '1,234', 'n/a')
    """
    if value is None:
        return UNKNOWN
    return f"{value:,.0f}" if value >= 100 or value == 0 else f"{value:.3g}"


def rate_interval(bounds: Sequence[float] | None) -> str:
    """The interval of a rate.

    >>> rate_interval([0.0, 0.1537])
    '0 to 0.154'
    """
    return UNKNOWN if bounds is None else f"{rate(bounds[0])} to {rate(bounds[1])}"


def held_out(names: Sequence[str]) -> list[str]:
    """What is said of a run with scenarios by which nothing may be tuned; nothing of one without.

    >>> held_out(["b", "c"])
    ['held out: b, c. They only tell how good a finished detector is: tune nothing by their numbers.']
    """
    why = "They only tell how good a finished detector is: tune nothing by their numbers."
    return [f"held out: {', '.join(names)}. {why}"] if names else []


def setting(card: Mapping[str, Any]) -> list[str]:
    """What is said of a run with fleets of another size than written, or that learned before; nothing of others.

    >>> setting({"devices": 20, "learn_s": 259_200.0, "poison": 0.05})
    ['every scenario with 20 phones; learned from 3 d before, each labelled behaviour there with probability 0.05']
    >>> setting({"learn_s": 86_400.0, "poison": 0.0, "novel": 0.01})
    ['learned from 1 d before, no labelled behaviour there, what imitates one new with probability 0.01']
    >>> setting({"learn_s": 129_600.0, "poison": 0.0}), setting({})
    (['learned from 1 d 12 h before, no labelled behaviour there'], [])
    """
    told = [f"every scenario with {card['devices']} phones"] if "devices" in card else []
    if "learn_s" in card:
        there = f"each labelled behaviour there with probability {card['poison']:.12g}"
        novel = f", what imitates one new with probability {card['novel']:.12g}" if "novel" in card else ""
        told.append(f"learned from {duration(card['learn_s'])} before, {there if card['poison'] else NO_POISON}{novel}")
    return ["; ".join(told)] if told else []


def unseen(found: Mapping[str, Any]) -> str:
    """What is added to a recall where the view shows nothing at all of some of the undetected incidents.

    >>> unseen({"incidents": 4, "unseen": 3}), unseen({"incidents": 4, "unseen": 0})
    ('3 of 4 unseen', '')
    """
    return f"{found['unseen']} of {found['incidents']} unseen" if found["unseen"] else ""


def too_easy(row: Mapping[str, Any]) -> str:
    """What a row of a scorecard's ``suite_too_easy`` says, in a sentence.

    >>> row = {"analytic": "AN1793", "view": "full", "control": "timing-only", "metric": "pr_auc", "value": 0.5}
    >>> too_easy(row | {"best": "mine", "best_value": 0.25})
    'too easy: AN1793 under view full: timing-only has AP 0.5, mine as the best detector 0.25'
    """
    metric = {"pr_auc": "AP", "recall_at_budget": "recall at the budget"}[row["metric"]]
    told = f"{row['control']} has {metric} {rate(row['value'])}, {row['best']} as the best detector"
    return f"too easy: {row['analytic']} under view {row['view']}: {told} {rate(row['best_value'])}"


def duration(seconds: float | None) -> str:
    """A duration in its two largest units.

    >>> duration(0.03), duration(42.4), duration(7380), duration(90_061), duration(None)
    ('under 1 s', '42 s', '2 h 3 min', '1 d 1 h', 'n/a')
    """
    if seconds is None:
        return UNKNOWN
    if 0 < seconds < 1:
        return "under 1 s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    units = [("d", whole // 86_400), ("h", whole // 3600 % 24), ("min", whole // 60 % 60), ("s", whole % 60)]
    first = next(place for place, (_, count) in enumerate(units) if count)
    return " ".join(f"{count} {unit}" for unit, count in units[first : first + 2] if count)


def day_time(moment: str | None) -> str:
    """The day and minute of an RFC 3339 time.

    >>> day_time("2026-03-02T14:05:06.000001Z")
    '2026-03-02 14:05'
    """
    return UNKNOWN if moment is None else moment[:16].replace("T", " ")


def analytic_name(analytic: str) -> str:
    """The analytic with what it looks for.

    >>> analytic_name("AN1702")
    'AN1702 traffic relaying'
    """
    return " ".join(filter(None, (analytic, ANALYTIC_NAMES.get(analytic, ""))))


def ladder_order(view: str) -> tuple[int, str]:
    """The sort key that puts views from the widest to the narrowest, unknown ones last."""
    return (LADDER.index(view) if view in LADDER else len(LADDER), view)
