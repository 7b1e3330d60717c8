"""Kinds of behaviour and protocols on the terminal: lists of one line each, and a sheet for one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lab.catalogue.kind_sheet import range_of, written
from lab.console import plural, screen

Row = Mapping[str, Any]


def print_behaviours(rows: Sequence[Row]) -> None:
    """A line for each kind: how many scenarios use it labelled and benign, how many library apps, what it is."""
    from rich.text import Text

    table = _table("kind", "mal.", "ben.", "apps", "what it is")
    for row in rows:
        uses = row["uses"]
        counts = (str(uses[use]) for use in ("labelled", "benign", "library"))
        table.add_row(*map(Text, (row["kind"], *counts, row["summary"])))  # what a file says is no markup
    console = screen()
    console.print(table)
    console.print(
        f"{plural(len(rows), 'kind')}; mal., ben.: scenarios in which it is labelled or benign; apps: of the library."
        " droidrange behaviour show KIND lists its settings.",
        markup=False,
    )


def print_behaviour(sheet: Row) -> None:
    """The description of a kind and a table of its settings."""
    console = screen()
    console.print(f"{sheet['kind']}: {flowing(sheet['description'])}\n", markup=False)
    if sheet["protocols"]:
        console.print(f"By default it speaks {', '.join(sheet['protocols'])}.", markup=False)
    console.print(settings_table([(row, row["default"]) for row in sheet["settings"]], "default"))
    words = {"labelled": "labelled in", "benign": "benign in", "library": "in library apps"}
    for use, names in sheet["used_by"].items():
        if names:
            console.print(f"{words[use]}: {', '.join(names)}", markup=False)


def flowing(text: str) -> str:
    r"""A description whose paragraphs are one line each, for the terminal to break.

    >>> flowing("What it\nis.\n\nLaw: this\nand that.")
    'What it is.\n\nLaw: this and that.'
    """
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))


def settings_table(rows: Sequence[tuple[Row, object]], heading: str) -> Any:
    """A rich table of settings, each with a value under ``heading``, range and source."""
    from rich.text import Text

    table = _table("setting", heading, "range", "source")
    for row, value in rows:
        shown = "must be given" if value is None else written(value, row["unit"])
        table.add_row(*map(Text, (row["name"], shown, range_of(row), row["source"] or "-")))
    return table


def print_protocols(rows: Sequence[Row]) -> None:
    """A line for each protocol: transport, how many scenarios' own apps speak it, what it is."""
    from rich.text import Text

    table = _table("protocol", "over", "scen.", "what it is")
    for row in rows:
        table.add_row(*map(Text, (row["protocol"], row["transport"], str(row["scenarios"]), row["summary"])))
    console = screen()
    console.print(table)
    console.print(
        f"{plural(len(rows), 'protocol')}; scen.: scenarios whose own apps speak it, in clear or under TLS."
        " droidrange protocol show NAME describes one.",
        markup=False,
    )


def print_protocol(sheet: Row) -> None:
    """The description of a protocol, the options it reads, and who speaks it."""
    console = screen()
    said = (
        f"{sheet['protocol']} over {sheet['transport']}: {flowing(sheet['description'])}\n",
        f"{flowing(sheet['messages'])}\n",
        f"options: {', '.join(sheet['options']) or 'none'}",
        f"spoken by default by: {', '.join(sheet['spoken_by']) or 'no kind'}",
    )
    for text in said:
        console.print(text, markup=False)


def _table(*headings: str) -> Any:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for heading in headings:
        table.add_column(heading, no_wrap=heading in (headings[0], "mal.", "ben.", "apps", "scen.", "over"))
    return table
