"""The command that sends a recording again: on a wire, before a detector in virtual time, or only on paper."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lab.console import FAILED, emit, emit_json, guarded, plural, progress, say
from lab.options import Json, Out, Partial

if TYPE_CHECKING:
    from detector.contract import Advance
    from lab.replay import Plan

EVERY_S = 15.0  # between two lines of progress where stderr is no terminal
_SHOWN = 12  # addresses of a dry run

Source = Annotated[Path, typer.Argument(help="A recording, or a pcap or pcapng file.")]
Interfaces = Annotated[
    str | None, typer.Option("--interface", "-i", metavar="IFACE", help="Where to send: NAME, or NAMESPACE/NAME.")
]
Peer = Annotated[
    str | None, typer.Option(metavar="IFACE", help="Two legs: what is not from a device starts here instead.")
]
Pace = Annotated[float, typer.Option(min=0.001, help="Pass so many times as fast as recorded.")]
Maps = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="WHO=ADDRESS,...", help="A device, address or net becomes another; may be repeated."),
]
Macs = Annotated[
    list[str] | None,
    typer.Option("--mac", metavar="WHO=MAC,...", help="A device, address, gateway or MAC gets another MAC."),
]
Only = Annotated[list[str] | None, typer.Option(metavar="INCIDENT", help="Nothing but this incident; may be repeated.")]
Cap = Annotated[float, typer.Option("--rate-cap", min=0.1, metavar="PPS", help="Never more frames in a second.")]
Owned = Annotated[
    list[str] | None,
    typer.Option("--i-own-this-network", metavar="IFACE", help="Send on exactly this interface though it is no lab's."),
]


@guarded
def replay(
    recording: Source,
    *,
    interface: Interfaces = None,
    peer: Peer = None,
    respond: Annotated[bool, typer.Option("--respond", help="Answer live as the servers, from the other end.")] = False,
    detector: Annotated[
        list[str] | None, typer.Option(help="Instead of a wire, this detector in virtual time; may be repeated.")
    ] = None,
    view: Annotated[str, typer.Option(help="Virtual time: what the sensor shows.")] = "full",
    speed: Pace = 1.0,
    loop: Annotated[int, typer.Option(min=1, help="So many rounds, each from other ports.")] = 1,
    map_: Maps = None,
    mac: Macs = None,
    only: Only = None,
    rate_cap: Cap = 100_000.0,
    own: Owned = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would go where, and send nothing.")] = False,
    allow_partial: Partial = False,
    out: Out = None,
    json_: Json = False,
) -> None:
    """Send a recording again, on a wire or to a detector.

    The wire is --interface, and --peer for what stands in line. Without one: --detector judges the same schedule in
    virtual time, and --out keeps it as a capture. droidrange lab wire up makes a wire.
    """
    from lab.replay import Wishes, plan

    if not (interface or detector or dry_run or out):
        raise typer.BadParameter("expected --interface IFACE, --detector NAME, --out FILE.pcap or --dry-run")
    if (detector or out) and interface:
        raise typer.BadParameter("--detector and --out go without a wire, expected them without --interface")
    if (respond or peer) and not interface:
        raise typer.BadParameter("--peer and --respond: expected --interface with them")
    wishes = Wishes(
        speed, loop, tuple(map_ or ()), tuple(mac or ()), tuple(only or ()), rate_cap, allow_partial=allow_partial
    )
    with progress(f"prepare {recording.name}") as advance:
        planned = plan(recording, wishes, advance)
    wires = [one for one in (interface, peer) if one]
    if dry_run:
        _dry(planned, wires, own or [], respond=respond, json_=json_)
    elif wires:
        _send(planned, wires, own or [], respond=respond, json_=json_)
    else:
        _virtual(planned, detector or [], view, out, json_=json_)


def _dry(planned: Plan, wires: list[str], owned: list[str], *, respond: bool, json_: bool) -> None:
    """What would go where; a refused interface is refused here, too."""
    from lab.replay import permitted

    if respond:
        from lab.replaying.conversing import both_ends

        wires = [one.spec for one in both_ends(wires, owned, planned.longest)]
    else:
        permitted(wires, owned, planned.longest)
    told = {**planned.to_json(), "interfaces": wires, "dry_run": True}
    if json_:
        emit_json(told)
        return
    emit("\n".join(_plan_in_words(told, wires)))


def _plan_in_words(told: dict[str, Any], wires: list[str]) -> Iterator[str]:
    yield f"{told['frames']:,} frames, {told['bytes']:,} bytes, {plural(told['flows'], 'flow')}"
    yield f"would take {told['lasts_s']:,.1f} s, at most {told['busiest_second']:,} frames in a second"
    if told["held_by_rate_cap"]:
        yield f"{told['held_by_rate_cap']:,} of a round leave later than recorded: --rate-cap"
    if len(wires) > 1:
        yield f"{told['from_devices']:,} on {wires[0]}, {told['from_others']:,} on {wires[1]}"
    elif wires:
        yield f"all on {wires[0]}"
    for row in told["addresses"][:_SHOWN]:
        yield f"  {row['recorded']}" + (f" as {row['sent']}" if row["sent"] != row["recorded"] else "")
    if len(told["addresses"]) > _SHOWN:
        yield f"  and {len(told['addresses']) - _SHOWN:,} more addresses (--json has all)"
    yield "nothing was sent"


def _send(planned: Plan, wires: list[str], owned: list[str], *, respond: bool, json_: bool) -> None:
    from lab.replay import replay as sent

    with pacing(planned) as advance:
        if respond:
            from lab.replaying.conversing import converse

            report: Any = converse(planned, wires, owned, advance)
        else:
            report = sent(planned, wires, owned, advance)
    told = report.to_json()
    if json_:
        emit_json(told)
    else:
        emit("\n".join(report_in_words(told)))
    if told["sent"] < told["planned"]:
        say(f"error: {told['planned'] - told['sent']:,} of {told['planned']:,} frames did not leave: {told['faults']}")
        raise typer.Exit(FAILED)
    if told["dropped"]:
        say(f"error: the interface dropped {told['dropped']:,} of {told['sent']:,} frames: does anybody take them?")
        raise typer.Exit(FAILED)


def report_in_words(told: dict[str, Any]) -> Iterator[str]:
    """A report for a person."""
    yield f"sent {told['sent']:,} of {told['planned']:,} frames, {told['failed']:,} failed"
    for name, count in told["counted"].items():
        yield f"  {name} counted {count:,}"
    late = told["lateness"]
    if late:
        yield f"took {late['took_s']:,.3f} s of {late['planned_s']:,.3f} s planned, {late['per_second']:,.0f} frames/s"
        for what, name in (("late_us", "late"), ("gap_error_us", "gap error")):
            spread = late[what]
            yield f"{name:10} p50 {spread['p50']:,.1f} us  p99 {spread['p99']:,.1f} us  max {spread['max']:,.1f} us"
        yield f"drift      {late['drift_ms']:.3f} ms"


@contextmanager
def pacing(planned: Plan) -> Iterator[Advance]:
    """Progress written by whoever sends, while nothing is due: a second thread would make frames late."""
    terminal, began, said = sys.stderr.isatty(), time.monotonic(), [time.monotonic()]

    def advance(done: int, total: int) -> None:
        now = time.monotonic()
        if terminal:
            filled = 30 * done // max(total, 1)
            bar = "#" * filled + "." * (30 - filled)
            sys.stderr.write(f"\rreplay [{bar}] {done:,} of {total:,}, {now - began:.0f} of {planned.lasts_s:.0f} s ")
            sys.stderr.flush()
        elif now - said[0] > EVERY_S:
            said[0] = now
            say(f"replay: {done:,} of {total:,} frames after {now - began:.0f} of {planned.lasts_s:.0f} s")

    say(f"replay: {len(planned.due) * planned.loops:,} frames, {planned.lasts_s:,.1f} s")
    try:
        yield advance
    finally:
        if terminal:
            sys.stderr.write("\r\x1b[K")


def _virtual(planned: Plan, detectors: list[str], view: str, out: Path | None, *, json_: bool) -> None:
    """The schedule as a capture, kept or before detectors."""
    from lab.detection import looks, print_findings, rows_of
    from lab.replay import write_virtual

    with tempfile.TemporaryDirectory() as folder:
        capture = out or Path(folder) / "replay.pcap"
        write_virtual(planned, capture)
        if not detectors:
            told = {**planned.to_json(), "capture": str(capture)}
            emit_json(told) if json_ else emit(f"{told['frames']:,} frames, {told['lasts_s']:,.1f} s: {capture}")
            return
        with progress("detect") as advance:
            rows = rows_of(looks([capture], detectors, view, allow_partial=False, advance=advance))
    if json_:
        for row in rows:
            emit(row.line())
    else:
        print_findings(rows)
