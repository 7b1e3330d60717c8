"""What strangers did to phones, as the strangers tell it: one outcome per conversation that comes into a phone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from lab.stages.live.pace import Course
from lab.stages.live.script import Played, Script


def strangers_played(
    scripts: Iterable[Script],
    courses: Mapping[int, Course],
    epoch_us: int,
    told: Mapping[str, Any],
    missed: Mapping[int, str],
) -> dict[int, Played]:
    """The inbound conversations' outcomes, by their number; ``epoch_us``: wall clock at the run's start.

    ``told`` is the strangers' answer to ``report``; ``missed`` what the phones' listeners say of those they did not
    get. KeyError if the answer lacks a part.
    """
    rows, dialled = told["conversations"], told["dialled"]
    found = {}
    for script in scripts:
        if script.inbound:
            row, place, course = rows.get(str(script.n), {}), dialled.get(str(script.n)), courses[script.n]
            never = None if place else "the stranger never connected"
            found[script.n] = Played(
                n=script.n,
                client=(place[0], place[1]) if place else None,
                server=script.server,
                opened_us=epoch_us + course.open_real,
                closed_us=epoch_us + course.close_real,
                sent=row.get("sent", 0),
                received=row.get("received", 0),
                error=row.get("error") or missed.get(script.n) or never,
            )
    return found


def relayed_played(
    scripts: Iterable[Script], played: Mapping[int, Played], told: Mapping[str, Any]
) -> dict[int, Played]:
    """What proxies on phones dialled, with what the strangers behind them said and heard; KeyError as above.

    ``played`` are the outcomes that the phones' sockets give, without bytes.
    """
    rows, found = told["conversations"], {}
    for script in scripts:
        row, one = rows.get(str(script.n)), played.get(script.n)
        if script.via is not None and row and one:
            found[script.n] = replace(one, sent=row["sent"], received=row["received"], error=one.error or row["error"])
    return found
