"""The command that puts a recording inside somebody's own capture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from lab.console import emit, emit_json, guarded, progress, say
from lab.options import Json, Out, Partial, fit_folder


@guarded
def inject(
    recording: Annotated[Path, typer.Argument(help="A recording of stage wire or live.")],
    *,
    into: Annotated[Path, typer.Option(metavar="BACKGROUND", help="Your own capture: pcap or pcapng.")],
    at: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="When it begins: RFC 3339 with an offset, +SPAN after the capture's first packet (+0s unless given), "
            "or time-of-day: as it has it, on the day that fits.",
        ),
    ] = None,
    as_device: Annotated[
        list[str] | None,
        typer.Option(metavar="IP", help="Its address, free or a host's of the capture; DEVICE=IP if it has several."),
    ] = None,
    out: Out = None,
    allow_partial: Partial = False,
    json_: Json = False,
) -> None:
    """Put a recording inside your own capture, with its truth.

    The capture's frames stay as they are; what is put between them looks like one of its hosts. The result is a
    recording, in --out or out/RECORDING-in-BACKGROUND: detect and score it like any other. Alerts on the capture's own
    traffic are neither right nor wrong.
    """
    from lab.inject import Wish
    from lab.inject import inject as injected

    folder = fit_folder(out or Path("out") / f"{recording.resolve().name}-in-{into.stem}", made=False)
    wish = Wish(at, dict(_named(text) for text in as_device or ()), allow_partial)
    if len(wish.devices) < len(as_device or ()):
        raise typer.BadParameter("--as-device: found two addresses for one device, expected one for each")
    with progress("inject") as advance:
        about = injected(recording, into, folder, wish, advance)
    for line in warnings(about):
        say(line)
    if json_:
        emit_json({"recording": str(folder), **about})
    else:
        emit("\n".join(f"{what + ':':11} {said}" for what, said in in_words(folder, about)))


def _named(text: str) -> tuple[str, str]:
    name, equals, address = text.rpartition("=")
    return (name, address) if equals else ("", text)


def warnings(about: Mapping[str, Any]) -> Iterator[str]:
    """What a user should know before he believes a result."""
    background, share = about["background"], about["overlap"]
    if background["partial"]:
        yield f"PARTIAL BACKGROUND: {background['partial']}; the {background['packets']:,} packets before are used"
    outside = share["before"] + share["after"]
    if outside:
        of = f"{outside:,} of {about['packets']:,} injected packets"
        yield f"{of} lie outside the capture's span, where nothing else is heard: --at, or a longer capture, mends it"
    if about["left_behind"]:
        yield f"left behind: {about['left_behind']:,} packets of the recording that are no whole TCP or UDP"


def in_words(out: Path, about: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The injection for a person, line by line."""
    from detector.contract import rfc3339

    background = about["background"]
    yield "recording", str(out)
    yield "background", f"{background['packets']:,} packets, {background['flows']:,} five-tuples, as they were"
    yield "injected", f"{about['packets']:,} packets in the manner of {about['model']}"
    devices = (
        f"{name} as {ip}{' (shared)' if name in about['shared'] else ''}" for name, ip in about["devices"].items()
    )
    yield "devices", ", ".join(devices)
    yield "span", f"{rfc3339(background['first'])} to {rfc3339(background['last'])} is the background"
    yield "shift", f"{about['shift_us'] / 1e6:+,.6f} s"
    yield "next", f"droidrange detect {out} --view no-app --json"
