"""What a SQL rule says of itself in the comments at its top: analytic, knob, parameters, needed columns. Pure.

    -- droidrange: analytic AN1793
    -- droidrange: knob least_contacts 10 1 1000      (name, value, least, most: what droidrange tune may set)
    -- droidrange: parameter most_spread 0.2          (name, value: a number that stays)
    -- droidrange: needs flows.package                (unsupported where that column is empty)

Knob and parameters stand in the statement as $least_contacts, $most_spread.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from detector.contract import ANALYTICS, SCHEMAS, Knob

Number = int | float
_LINE = re.compile(r"\s*--\s*droidrange\s*:\s*(.*?)\s*$", re.IGNORECASE)
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
FORMS: Mapping[str, str] = {
    "analytic": f"analytic {' or '.join(ANALYTICS)}",
    "knob": "knob NAME VALUE LEAST MOST, for example: knob least_contacts 10 1 1000",
    "parameter": "parameter NAME VALUE, for example: parameter most_spread 0.2",
    "needs": "needs TABLE.COLUMN, for example: needs flows.package",
}


@dataclass(frozen=True)
class Header:
    """The words of a rule file; ``parameters`` are all numbers the statement may use, the knob's value among them."""

    analytic: str = ""
    knob: Knob | None = None
    parameters: Mapping[str, Number] = field(default_factory=dict)
    needs: tuple[tuple[str, str], ...] = ()  # table, column

    def with_settings(self, settings: Mapping[str, Number]) -> Header:
        """The same with some numbers set anew; LookupError for a name that is not declared, or a knob out of range."""
        if unknown := sorted(set(settings) - set(self.parameters)):
            known = ", ".join(self.parameters) or "none: the file declares no number"
            raise LookupError(f"found {unknown[0]!r} after '?', expected {known}")
        knob = self.knob
        if knob and knob.name in settings:
            value = settings[knob.name]
            if not knob.least <= value <= knob.most:
                raise LookupError(f"found {knob.name}={value}, expected {knob.least:g} to {knob.most:g}")
            knob = replace(knob, value=float(value))
        return replace(self, knob=knob, parameters={**self.parameters, **settings})


def header(text: str, where: str, analytic: str | None = None) -> Header:
    r"""The header of a rule file; ``analytic`` is what the caller says where the file says none.

    LookupError with all faults, each with ``where``, line, found and expected.

    >>> header("-- droidrange: analytic AN1702\n-- droidrange: parameter n 3\nSELECT $n", "x.sql").parameters
    {'n': 3}
    """
    faults: list[str] = []
    made = Header()
    for number, words in _said(text, where, faults):
        try:
            made = _with(made, words)
        except ValueError as fault:
            faults.append(f"{where}: line {number}: found '{' '.join(words)}', {fault}")
    if not made.analytic and analytic is None and not any("analytic" in fault for fault in faults):
        faults.append(f"{where}: found no analytic, expected a first line '-- droidrange: analytic {ANALYTICS[0]}'")
    if faults:
        raise LookupError("\n".join(faults))
    said = made.analytic or analytic or ""
    return replace(made, analytic=said, knob=made.knob and replace(made.knob, analytic=said))


def with_value(text: str, name: str, value: float, note: str) -> str:
    """The rule file with that knob or parameter set to ``value``, a comment ``note`` below it, the rest untouched."""
    lines = text.splitlines()
    for place, line in enumerate(lines):
        match = _LINE.match(line)
        words = match[1].split() if match else []
        if words[1:2] == [name] and words[0].lower() in ("knob", "parameter"):
            words[2] = _spelled(value)
            lines[place] = f"-- droidrange: {' '.join(words)}"
            lines[place + 1 : place + 1] = [f"-- {' '.join(note.split())}"] if note else []
            return "\n".join(lines) + "\n"
    raise LookupError(f"unknown knob {name}, expected a line '-- droidrange: knob {name} ...' that declares it")


def _said(text: str, where: str, faults: list[str]) -> Iterator[tuple[int, list[str]]]:
    """Line number and words of each line for us; one below the first line of the statement is a fault."""
    below = False
    for number, line in enumerate(text.splitlines(), 1):
        match = _LINE.match(line)
        below = below or bool(line.strip() and not line.lstrip().startswith("--"))
        if match and below:
            faults.append(f"{where}: line {number}: found a '-- droidrange:' line in the statement, expected it above")
        elif match:
            yield number, match[1].split()


def _with(made: Header, words: list[str]) -> Header:
    word, rest = (words[0].lower() if words else ""), words[1:]
    if word == "analytic" and len(rest) == 1 and rest[0] in ANALYTICS and not made.analytic:
        return replace(made, analytic=rest[0])
    if word == "knob" and len(rest) == 4:
        if made.knob:
            raise ValueError("expected one knob at most: make the others parameters")
        name, (value, least, most) = _name(rest[0], made), [_number(each) for each in rest[1:]]
        if not least <= value <= most:
            raise ValueError(f"expected {rest[2]} <= {rest[1]} <= {rest[3]}: least, value, most")
        knob = Knob(name, made.analytic, float(value), float(least), float(most))
        return replace(made, knob=knob, parameters={**made.parameters, name: value})
    if word == "parameter" and len(rest) == 2:
        return replace(made, parameters={**made.parameters, _name(rest[0], made): _number(rest[1])})
    table, _, column = rest[0].partition(".") if rest else ("", "", "")
    if word == "needs" and len(rest) == 1 and table in SCHEMAS and column in SCHEMAS[table].names:
        return replace(made, needs=(*made.needs, (table, column)))
    raise ValueError(f"expected {FORMS[word] if word in FORMS else ', '.join(FORMS)}{_hint(word, table)}")


def _hint(word: str, table: str) -> str:
    if word != "needs":
        return " (once)" if word == "analytic" else ""
    return f"; {table} has {', '.join(SCHEMAS[table].names)}" if table in SCHEMAS else f"; tables: {', '.join(SCHEMAS)}"


def _name(text: str, made: Header) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError("expected a name of small letters, digits and _")
    if text in made.parameters:
        raise ValueError(f"expected each name once: {text} is declared above")
    return text


def _number(text: str) -> Number:
    try:
        value: Number = int(text) if re.fullmatch(r"[+-]?\d{1,18}", text) else float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"expected a finite number instead of '{text}'")
    return value


def _spelled(value: float) -> str:
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)
