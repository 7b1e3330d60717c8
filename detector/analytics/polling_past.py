"""What the app's own past says about one group of AN1793, in sentences a person can check in the baseline."""

from __future__ import annotations

import math
from collections.abc import Mapping

from detector.contract import Reason


def past_reasons(columns: Mapping[str, float]) -> tuple[Reason, ...]:
    """Reasons of surge, own_places and succession; none without a learned baseline."""
    if not columns["baseline"]:
        return ()
    here, usual = (_rate(columns[name]) for name in ("per_day", "usual_per_day"))
    told = {
        "surge": ("0 up to twice the usual", f"{here} contacts a day, and at most {usual} while it was learned"),
        "own_places": (
            "near 0 for apps whose users each have servers of their own",
            f"{here} contacts a day, against what users of the app have with destinations nobody else has",
        ),
        "succession": (
            "1 for a vendor that moved",
            "looked for a destination of this app on this device that fell silent when this one began, as busy as this",
        ),
    }
    return tuple(_reason(name, columns[name], *words) for name, words in told.items())


def _rate(value: float) -> str:
    return "an unknown number of" if math.isnan(value) else f"{value:.1f}"


def _reason(name: str, value: float, expected: str, text: str) -> Reason:
    if math.isnan(value):
        return Reason(
            name,
            None,
            expected,
            0.0,
            f"unknown: the app was not there while it was learned, or has no one destination; {text}",
        )
    return Reason(name, round(value, 4), expected, 1.0, text)
