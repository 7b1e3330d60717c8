"""The command that checks that an installed sensor still alerts, once or again and again."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lab.cli_replay import Cap, Macs, Maps, Only, Owned, Pace, pacing
from lab.console import BROKEN, FAILED, emit, guarded, printable, progress, say
from lab.options import Every, Json, Within

if TYPE_CHECKING:
    from lab.replay import Plan

SECOND_US = 1_000_000
USUAL_S = 30.0


@guarded
def canary(
    recording: Annotated[Path, typer.Argument(help="A recording that the sensor must alert on.")],
    *,
    interface: Annotated[str, typer.Option("--interface", "-i", metavar="IFACE", help="The wire the sensor hears.")],
    alerts: Annotated[Path, typer.Option(help="Where the sensor writes: findings.jsonl or Suricata's eve.json.")],
    within: Within = None,
    matching: Annotated[str, typer.Option(help="Only an alert with this in its name counts.")] = "",
    every: Every = None,
    times: Annotated[int | None, typer.Option(min=1, help="With --every: so often, instead of without end.")] = None,
    speed: Pace = 1.0,
    map_: Maps = None,
    mac: Macs = None,
    only: Only = None,
    rate_cap: Cap = 100_000.0,
    own: Owned = None,
    json_: Json = False,
) -> None:
    """Replay what must be found, and see that it is.

    Exit 0 when the sensor alerts in time about who was replayed, 1 when it does not. With --every it goes on until
    the first silence.
    """
    from lab.replay import Wishes, permitted, plan
    from lab.replaying.canary import Watch, check

    wishes = Wishes(speed, 1, tuple(map_ or ()), tuple(mac or ()), tuple(only or ()), rate_cap)
    watch, patience = Watch(alerts), USUAL_S if within is None else within / SECOND_US
    with progress(f"prepare {recording.name}") as advance:
        planned = plan(recording, wishes, advance)
    permitted([interface], own or [], planned.longest)
    began, done = time.monotonic(), 0
    while True:
        done += 1
        watch.lines()  # what was written before the round is not about it
        heard = check(
            watch,
            planned.called,
            lambda: _play(planned, interface, own or []),
            within_s=patience,
            matching=matching,
        )
        _tell(heard.to_json(), done, alerts, patience, json_=json_)
        if heard.alert is None:
            raise typer.Exit(BROKEN)
        if every is None or done == times:
            return
        time.sleep(max(began + done * every / SECOND_US - time.monotonic(), 0))
        planned.prepared.turn()


def _play(planned: Plan, interface: str, owned: list[str]) -> None:
    """The replay itself; exit 3 if not every frame left, since silence would prove nothing then."""
    from lab.replay import replay

    with pacing(planned) as advance:
        report = replay(planned, [interface], owned, advance)
    if missing := report.planned - report.sent + report.dropped:
        say(f"error: {missing:,} of {report.planned:,} frames did not leave, so that silence proves nothing")
        raise typer.Exit(FAILED)


def _tell(told: dict[str, Any], number: int, alerts: Path, within: float, *, json_: bool) -> None:
    if json_:
        emit(json.dumps({"round": number, **told}, ensure_ascii=False))
    elif told["alerted"]:
        who = f"{told['alert']} ({', '.join(told['whom'])})"
        emit(f"alerted: {printable(who)}, {told['after_s']:.1f} s after the last frame")
    else:
        seen = f"{told['lines']:,} lines, {told['other_alerts']:,} other alerts"
        emit(f"SILENT: no alert about who was replayed in {alerts} within {within:,.0f} s ({seen})")
