"""The command line's wire to replay on: up, down, status. It needs root and iproute2, and no engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from lab.console import emit, emit_json, guarded, plural
from lab.options import Json

if TYPE_CHECKING:
    from lab.replaying.wiring import Wire

wire_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="The lab's wire: a namespace without a way out and a veth pair into it, to replay on.",
)


@wire_app.command("up")
@guarded
def wire_up(
    name: Annotated[str, typer.Argument(help="How it is called: NAME0 here, NAME1 in namespace NAME.")] = "dr-wire",
    *,
    legs: Annotated[int, typer.Option(min=1, max=2, help="Two, NAME2 and NAME3, for what stands in line.")] = 1,
    mtu: Annotated[int, typer.Option(min=576, max=65_535, help="Of every end, in bytes.")] = 1500,
    json_: Json = False,
) -> None:
    """Make a wire, or find the one that stands.

    What is sent on dr-wire0 comes out of dr-wire1, in namespace dr-wire, where sensors listen.
    """
    from lab.replaying.wiring import up

    made = up(name, legs=legs, mtu=mtu)
    if json_:
        emit_json(made.to_json())
    else:
        emit("\n".join(_in_words(made)))


@wire_app.command("down")
@guarded
def wire_down(
    names: Annotated[list[str] | None, typer.Argument(help="Wires; all of them if none.")] = None,
    *,
    json_: Json = False,
) -> None:
    """Take wires down.

    Exactly what wire up made, told by its label; nothing else is touched.
    """
    from lab.replaying.wiring import down

    gone = down(names)
    if json_:
        emit_json({"removed": gone})
    else:
        emit(f"removed {plural(len(gone), 'wire')}" + (f": {', '.join(gone)}" if gone else ""))


@wire_app.command("status")
@guarded
def wire_status(*, json_: Json = False) -> None:
    """Show every wire of this machine, and how much was sent on it."""
    from lab.replaying.wiring import wires

    there = wires()
    if json_:
        emit_json({"wires": [one.to_json() for one in there]})
    else:
        emit("\n".join(line for one in there for line in _in_words(one)) or "no wire; droidrange lab wire up")


def _in_words(wire: Wire) -> list[str]:
    """A wire for a person: its legs, and how to listen."""
    state = "" if wire.whole else f" is broken; droidrange lab wire down {wire.name}"
    lines = [f"{wire.name}{state}: {plural(len(wire.near), 'leg')}"]
    lines += [f"  send on {one.name} (MTU {one.mtu}, {one.sent:,} frames sent so far)" for one in wire.near]
    lines += [f"  listen on {one.name}: ip netns exec {wire.name} tcpdump -ni {one.name}" for one in wire.far]
    return lines + [f"  {one.spec} is not the lab's" for one in wire.others]
