"""The command line's live lab: up, down, status, clean. All of it needs a Docker engine; nothing else does."""

from __future__ import annotations

from typing import Annotated

import typer

from lab.console import emit, emit_json, guarded, plural, say
from lab.options import Json

MOST = 200  # handsets: their network is a /24 (lab/stages/live/wiring.py)

lab_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="The live lab: Android devices behind mitmproxy, in Docker.",
)


def _addressable(devices: int) -> int:
    if devices > MOST:
        raise typer.BadParameter(f"found {devices:,}, expected at most {MOST}: a lab's handsets share one /24 network")
    return devices


@lab_app.command("up")
@guarded
def lab_up(
    *,
    devices: Annotated[int, typer.Option(min=1, callback=_addressable, help=f"How many handsets, up to {MOST}.")] = 1,
    hours: Annotated[float, typer.Option(min=0.1, help="After so long lab clean may remove it.")] = 12.0,
    json_: Json = False,
) -> None:
    """Build what is missing and bring up a lab that stays.

    droidrange record --stage live then uses it.
    """
    from lab.stages.live.lifecycle import up
    from lab.stages.live.status import own_labs, status_of

    lab = up(devices, kept=True, hours=hours, say=say)
    if others := sorted(set(own_labs(lab.engine)) - {lab.session.id}):
        say(f"also up: {', '.join(others)}; record and run then need --lab to choose (droidrange lab down {others[0]})")
    row = status_of(lab.engine, lab.session.id)
    if json_:
        emit_json(row)
    else:
        emit(f"lab {row['lab']} is up: {plural(len(row['handsets']), 'handset')}, until {row['expires']}")
        emit("\n".join(f"  adb connect {phone['adb']}" for phone in row["handsets"]))


@lab_app.command("status")
@guarded
def lab_status(*, json_: Json = False) -> None:
    """Show every lab of this machine.

    With its containers, where adb finds the handsets, and until when it stays.
    """
    from lab.stages.live.status import print_status, statuses

    rows = statuses()
    if json_:
        emit_json({"labs": rows})
    else:
        print_status(rows)


@lab_app.command("down")
@guarded
def lab_down(
    names: Annotated[list[str] | None, typer.Argument(help="Ids of labs; all that were brought up if none.")] = None,
    *,
    force: Annotated[bool, typer.Option("--force", help="Also a lab that is playing.")] = False,
    json_: Json = False,
) -> None:
    """Take labs down to nothing.

    One that is playing is refused; nothing is taken down then.
    """
    from lab.stages.live.status import taken_down

    labs, saved = taken_down(names, force=force)
    if json_:
        emit_json({"removed": labs, "rescued": [str(path) for path in saved]})
    else:
        emit(_removed("lab", labs))


@lab_app.command("clean")
@guarded
def lab_clean(
    *,
    images: Annotated[bool, typer.Option("--images", help="Also images of ours that other sources made.")] = False,
    json_: Json = False,
) -> None:
    """Remove what interrupted or expired labs left behind.

    A lab in use is left alone, and so is everything that is not ours.
    """
    from lab.stages.live.status import cleaned

    labs, saved, old = cleaned(images=images)
    if json_:
        emit_json({"removed": labs, "rescued": [str(path) for path in saved], "images": old})
    else:
        emit(_removed("lab", labs))
        if images:
            emit(_removed("old image", old))


def _removed(noun: str, names: list[str]) -> str:
    return f"removed {plural(len(names), noun)}" + (f": {', '.join(names)}" if names else "")
