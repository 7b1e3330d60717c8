"""A scenario's sheet on the terminal: what differs from defaults in tables, strips in block characters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lab.catalogue.kind_sheet import duration, with_unit
from lab.catalogue.kind_terminal import settings_table
from lab.catalogue.sheet import in_conditions
from lab.console import plural, screen
from lab.inspection import SHADES, strip_cells, strip_text

if TYPE_CHECKING:
    from rich.console import Console

Row = Mapping[str, Any]


def print_scenario(shown: Row) -> None:
    """The scenario on stdout: world, apps, promises, twins, strips."""
    console = screen()
    _print_world(console, shown)
    for app in shown["apps"]:
        _print_app(console, app, shown["devices"])
    for promise in shown["expectations"]:
        console.print(_promised(promise), markup=False)
    for twin, rows in shown["differences"].items():
        _print_differences(console, shown, twin, rows)
    for strip in shown["strips"]:
        _print_strip(console, strip)
    _print_rest(console, shown)


def _print_world(console: Console, shown: Row) -> None:
    kind = "twin of " if shown["twin_of"] else "twins: "
    twins = f"; {kind}{', '.join(shown['twins'])}" if shown["twins"] else ""
    label = ", ".join(f"{a} ({t})" for a, t in zip(shown["analytics"], shown["technique"], strict=True)) or "benign"
    state, apps = shown["state"], shown["background_apps"]
    world = [
        plural(shown["devices"], "device"),
        f"{shown['span_s'] / 3600:g} h from {shown['start'][:16]}Z, seed {shown['seed']}",
        f"{'profile' if len(state['profiles']) == 1 else 'profiles in turn'} {', '.join(state['profiles'])}",
        f"networks {state['networks']}",
        *(["Private DNS"] if state["private_dns"] else []),
        *(["always-on VPN"] if state["vpn"] else []),
        *([f"network: {conditions}"] if (conditions := in_conditions(shown["network"])) else []),
        f"{plural(apps, 'app')} of the library on each device" if apps else "no apps of the library",
    ]
    suites = f"suites: {', '.join(shown['suites']) or 'none'}" + (" (held out: not for tuning)" * shown["held_out"])
    said = (f"{shown['name']}: {label}{twins}", shown["question"], "; ".join(world), suites)
    for line in said:
        console.print(line, markup=False)


def _print_app(console: Console, app: Row, devices: int) -> None:
    lives = [f"{n} {duration(app[f'{n}_s'])}" for n in ("installed", "moves", "removed") if app[f"{n}_s"]]
    words = [app["category"], *app["roles"], *(["sanctioned"] if app["sanctioned"] else [])]
    words += ["exempt from Doze"] if app["exempt"] else []
    who = ", ".join([*words, f"on {app['on']} of {devices}", *lives])
    console.print(f"\n{app['package']} ({who})", markup=False)
    for behaviour in app["behaviours"]:
        label = f" [{behaviour['analytic']}, {behaviour['technique']}]" if behaviour["analytic"] else ""
        console.print(f"  {behaviour['kind']}{label}", markup=False)
        rows = behaviour["settings"]
        given = [(row, row["value"]) for row in rows if row["value"] != row["default"]]
        if given:
            console.print(settings_table([(row | _defaulted(row), value) for row, value in given], "value"))
        left = [
            f"{row['name']} {with_unit(row['value'], row['unit'])}" for row in rows if row["value"] == row["default"]
        ]
        if left:
            console.print(f"  by default: {', '.join(left)}", markup=False)


def _defaulted(row: Row) -> dict[str, str]:
    default = "" if row["default"] is None else f"default {with_unit(row['default'], row['unit'])}"
    return {"source": "; ".join(word for word in (default, row["source"]) if word)}


def _promised(promise: Row) -> str:
    who = f"{promise['behaviour']}{' of ' + promise['package'] if promise['package'] else ''}"
    bounds = []
    for measure in ("contacts", "conversations", "bytes"):
        if one := promise.get(measure):
            ends = [
                f"{word} {one[key]:g}" for key, word in (("at_least", ">="), ("at_most", "<=")) if one[key] is not None
            ]
            bounds.append(f"{measure} {' and '.join(ends)}")
    return f"\nexpected of {who}, on each device that has it: {'; '.join(bounds)}"


def _print_differences(console: Console, shown: Row, twin: str, rows: Sequence[Row]) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    name = shown["name"]
    both = f"{name} and {twin}, which it imitates," if shown["twin_of"] else f"{name} and its twin {twin}"
    console.print(f"\n{both} differ in" if rows else f"\n{both} do not differ", markup=False)
    if not rows:
        return
    table = Table("what", name, twin, box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for row in rows:
        table.add_row(*(Text(row[column]) for column in ("what", "here", "there")))
    console.print(table)


def _print_strip(console: Console, strip: Row) -> None:
    label = strip["analytic"] or "benign"
    since, until = (duration(x) for x in (strip["start_s"], strip["start_s"] + strip["length_s"]))
    who = f"{strip['package']} {strip['behaviour']} ({label}) on {strip['device']}"
    console.print(f"\n{strip['scenario']}, {since} to {until}: {who}", markup=False)
    cells = len(strip["exchanges"])
    lines = {
        "exchanges": strip_text(tuple(strip["exchanges"])),
        "in use": _shades(strip["in_use"]),
        "Doze": _shades(strip["doze"]),
    }
    for what, text in lines.items():
        console.print(f"  {what:10}|{text}|", markup=False)
    marks = "".join(f"{duration(strip['length_s'] * part / 4):<{cells // 4}}" for part in range(4))
    console.print(f"  {'':11}{marks}", markup=False)


def _shades(shares: Sequence[float]) -> str:
    """Shares of cells in block characters, the tallest being all of it."""
    return "".join(SHADES[min(len(SHADES) - 1, -int(-share * (len(SHADES) - 1) // 1))] for share in shares)


def _print_rest(console: Console, shown: Row) -> None:
    """When its own apps speak through the whole span, all phones together; the rest in a line each."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for heading in ("its own apps, over the whole span", "devices", "exchanges", "when"):
        table.add_column(heading, no_wrap=heading == "when")
    speakers: Sequence[Row] = shown["speakers"]
    for who, rows in _own(shown).items():
        strip = tuple(map(sum, zip(*(row["strip"] for row in rows), strict=True)))
        exchanges = str(sum(row["exchanges"] for row in rows))
        table.add_row(who, str(len(rows)), exchanges, strip_text(strip, strip_cells(console.width)) if rows else "")
    console.print(table)
    ground = [row for row in speakers if row["background"]]
    apps = plural(len({(row["device"], row["package"]) for row in ground}), "installed app")
    system = [row for row in speakers if row["system"]]
    for rows, whose in ((ground, f"{apps} of the library"), (system, "the phones' own look-ups and tunnels")):
        if rows:
            console.print(f"and {_exchanges(rows)} of {whose}", markup=False)


def _own(shown: Row) -> dict[str, list[Row]]:
    """The rows of each behaviour of the scenario's own apps; of one that says nothing under this seed, none."""
    groups: dict[str, list[Row]] = {
        f"{app['package']} {one['kind']} ({one['analytic'] or 'benign'})": []
        for app in shown["apps"]
        for one in app["behaviours"]
    }
    for row in shown["speakers"]:
        if not (row["background"] or row["system"]):
            groups.setdefault(f"{row['package']} {row['behaviour']} ({row['analytic'] or 'benign'})", []).append(row)
    return groups


def _exchanges(rows: Sequence[Row]) -> str:
    return plural(sum(row["exchanges"] for row in rows), "exchange")
