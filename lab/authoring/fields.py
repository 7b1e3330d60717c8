"""What single fields of a scenario file may hold: spans, moments, offsets, categories, names, each with its fault."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, Field

from lab.authoring.settings import microseconds
from lab.behaviours import nearest
from lab.phones.profile import profile_names

MINUTE = 60_000_000
HOUR, DAY = 60 * MINUTE, 1440 * MINUTE
OFFSET = r"[+-]\d{2}:[0-5]\d"
#: When a scenario may begin: a classic pcap's seconds fill 32 bits without a sign, and begin in 1970 and end in 2106.
EARLIEST, LATEST = datetime(1971, 1, 1, tzinfo=UTC), datetime(2106, 1, 1, tzinfo=UTC)
SLOWEST = MINUTE // 30  # a geostationary satellite and back, twice over


def _question(text: str) -> str:
    if not text.endswith("?") or "?" in text[:-1] or "\n" in text or len(text) < 3:
        raise ValueError('expected one sentence that ends with "?"')
    return text


def _span(text: str) -> str:
    if not MINUTE <= microseconds(text) <= 31 * DAY:
        raise ValueError(f"found '{text}', expected from 1m to 31d")
    return text


def _start(when: datetime) -> datetime:
    if when.tzinfo is None:
        raise ValueError("expected a time with an offset, such as 2026-03-02T00:00:00Z")
    if not EARLIEST <= when < LATEST:
        raise ValueError(f"found {when.isoformat()}, expected a time from {EARLIEST.year} and before {LATEST.year}")
    return when


def _profile(name: str) -> str:
    if name not in profile_names():
        raise ValueError(f"unknown profile '{name}'; known are {', '.join(profile_names())}")
    return name


#: Google Play's categories (Play Console help, "Choose a category"), games as one, and what came with the phone.
CATEGORIES = (
    *("art-and-design", "auto-and-vehicles", "beauty", "books-and-reference", "business", "comics", "communication"),
    *("dating", "education", "entertainment", "events", "finance", "food-and-drink", "games", "health-and-fitness"),
    *("house-and-home", "libraries-and-demo", "lifestyle", "maps-and-navigation", "medical", "music-and-audio"),
    *("news-and-magazines", "parenting", "personalization", "photography", "productivity", "shopping", "social"),
    *("sports", "system", "tools", "travel-and-local", "video-players-and-editors", "weather"),
)


def _category(name: str) -> str:
    if name not in CATEGORIES:
        raise ValueError(
            f"unknown category '{name}'{nearest(name, list(CATEGORIES)) or '; known are ' + ', '.join(CATEGORIES)}"
        )
    return name


def _moment(text: str) -> str:
    microseconds(text)
    return text


def _delay(text: str) -> str:
    if microseconds(text) > SLOWEST:
        raise ValueError(f"found '{text}', expected 2s at most")
    return text


def _offset(text: str) -> str:
    if not re.fullmatch(OFFSET, text) or not -12 * HOUR <= offset_of(text) <= 14 * HOUR:
        raise ValueError(f"found '{text}', expected from -12:00 to +14:00")
    return text


def offset_of(text: str) -> int:
    """Microseconds of an offset from UTC.

    >>> offset_of("-05:30") // MINUTE
    -330
    """
    sign, hours, minutes = text[0], int(text[1:3]), int(text[4:])
    return (-1 if sign == "-" else 1) * (hours * 60 + minutes) * MINUTE


def _left_out(name: str) -> str:
    return name if "." in name else _category(name)


def label_of(package: str) -> str:
    """What an app without a label is called: the last part of its package's name."""
    return package.rsplit(".", 1)[-1].replace("_", " ").title()


ProfileName = Annotated[str, AfterValidator(_profile)]
Question = Annotated[str, AfterValidator(_question)]
Package = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$", max_length=100)]
Word = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,99}$")]
Moment = Annotated[str, AfterValidator(_moment)]  # a duration since the start, such as "30h"
Delay = Annotated[str, AfterValidator(_delay)]  # of packets
Offset = Annotated[str, AfterValidator(_offset)]
Category = Annotated[str, AfterValidator(_category)]
Name = Annotated[str, Field(pattern=r"^([a-z0-9][a-z0-9._-]{0,99})?$")]
Span = Annotated[str, AfterValidator(_span)]
Start = Annotated[datetime, AfterValidator(_start)]
LeftOut = Annotated[str, AfterValidator(_left_out)]  # a package or a category
