"""Values of a Sigma rule as SQL conditions: every value becomes a parameter, no text of a rule becomes SQL.

Sigma's specification 2.1: text compares without case unless ``cased``; * and ? are wildcards; a field that is absent
matches nothing. Regular expressions are RE2's, whose time is linear (pySigma checks them with it, DuckDB runs them).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sigma.types import (
    SigmaBool,
    SigmaCasedString,
    SigmaCIDRExpression,
    SigmaCompareExpression,
    SigmaExists,
    SigmaExpansion,
    SigmaFieldReference,
    SigmaNull,
    SigmaNumber,
    SigmaRegularExpression,
    SigmaString,
    SigmaTimestampPart,
    SigmaType,
    SpecialChars,
)

from detector.sigma.sources import NUMBER, TEXT, TEXTS, TIME, TRUTH, Column
from detector.sql.query import Value

OPERATORS = {"LT": "<", "LTE": "<=", "GT": ">", "GTE": ">=", "NEQ": "<>"}
HEXTETS, HEXTET_BITS = 8, 16


@dataclass
class Parameters:
    """The values of one query, named as they come."""

    values: dict[str, Value] = field(default_factory=dict)

    def add(self, value: Value) -> str:
        """The mark that stands for the value in the statement."""
        name = f"v{len(self.values)}"
        self.values[name] = value
        return f"${name}"


@dataclass
class Terms:
    """Conditions on columns of one log source; ``column`` gives the column of a field, or ValueError."""

    parameters: Parameters
    column: Callable[[str], Column]

    def condition(self, name: str, value: SigmaType) -> str:
        """A condition that is true or false, never null; ValueError for a value that cannot be compared so."""
        column = self.column(name)
        if isinstance(value, SigmaNull):
            return f"(({column.sql}) IS NULL)"
        if isinstance(value, SigmaExists):
            return f"(({column.sql}) IS {'NOT ' if value.exists else ''}NULL)"
        if isinstance(value, SigmaExpansion):
            return "(" + " OR ".join(self.condition(name, one) for one in value.values) + ")"
        try:
            if column.kind == TEXTS:
                inner = self._compared(Column("one", TEXT), value)
                return f"(len(list_filter(coalesce({column.sql}, []), lambda one: coalesce({inner}, false))) > 0)"
            return f"coalesce({self._compared(column, value)}, false)"
        except ValueError as fault:
            raise ValueError(f"field {name}: {fault}") from None

    def _compared(self, column: Column, value: SigmaType) -> str:
        made: Mapping[type[SigmaType], Callable[[Column, Any], str]] = {
            SigmaRegularExpression: self._expression,
            SigmaCIDRExpression: self._within,
            SigmaCompareExpression: self._measured,
            SigmaTimestampPart: self._part,
            SigmaFieldReference: self._other,
            SigmaBool: lambda column, value: self._truth(column, str(value)),
            SigmaNumber: lambda column, value: self._numbered(column, value.number),
            SigmaCasedString: self._string,
            SigmaString: self._string,
        }
        if type(value) not in made:
            raise ValueError(f"found a value of type {type(value).__name__}, which is not supported; use plain values")
        return made[type(value)](column, value)

    def _expression(self, column: Column, value: SigmaRegularExpression) -> str:
        flags = "".join(sorted(value.sigma_to_re_flag[flag] for flag in value.flags))
        mark = self.parameters.add((f"(?{flags})" if flags else "") + str(value.regexp))
        return f"regexp_matches({_text(column)}, {mark})"

    def _measured(self, column: Column, value: SigmaCompareExpression) -> str:
        return f"{_number(column)} {OPERATORS[value.op.name]} {self.parameters.add(value.number.number)}"

    def _string(self, column: Column, value: SigmaString) -> str:
        if any(not isinstance(part, str | SpecialChars) for part in value.s):
            raise ValueError("found a placeholder (modifier expand), which is not supported; write the values out")
        plain = "".join(part if isinstance(part, str) else "" for part in value.s)
        wild = any(isinstance(part, SpecialChars) for part in value.s)
        if column.kind == TRUTH:
            return self._truth(column, plain)
        if column.kind in (NUMBER, TIME) and not wild:
            return self._numbered(column, _parsed(plain))
        cased = isinstance(value, SigmaCasedString)
        if not wild:
            mark = self.parameters.add(plain)
            return f"{_text(column)} = {mark}" if cased else f"lower({_text(column)}) = lower({mark})"
        mark = self.parameters.add("".join(_like(part) for part in value.s))
        return f"{_text(column)} {'LIKE' if cased else 'ILIKE'} {mark} ESCAPE '\\'"

    def _truth(self, column: Column, said: str) -> str:
        if column.kind == TEXT:
            return f"lower({column.sql}) = {self.parameters.add(said.lower())}"
        if column.kind != TRUTH or said.lower() not in ("true", "false"):
            raise ValueError(f"found {said!r}, expected {'true or false' if column.kind == TRUTH else 'a number'}")
        return f"({column.sql}) = {self.parameters.add(said.lower() == 'true')}"

    def _numbered(self, column: Column, value: float) -> str:
        if column.kind == TEXT:
            return f"{column.sql} = {self.parameters.add(str(value))}"
        return f"{_number(column)} = {self.parameters.add(value)}"

    def _part(self, column: Column, value: SigmaTimestampPart) -> str:
        if column.kind != TIME:
            raise ValueError(f"found the modifier {value.timestamp_part.name.lower()}, expected a field that is a time")
        mark = self.parameters.add(value.number)
        return f"date_part('{value.timestamp_part.name.lower()}', make_timestamp({column.sql})) = {mark}"

    def _other(self, column: Column, value: SigmaFieldReference) -> str:
        own, other = f"lower({_text(column)})", f"lower({_text(self.column(value.field))})"
        if value.starts_with or value.ends_with:
            return f"{'starts_with' if value.starts_with else 'ends_with'}({own}, {other})"
        return f"{own} = {other}"

    def _within(self, column: Column, value: SigmaCIDRExpression) -> str:
        network = value.network
        if isinstance(network, ipaddress.IPv4Network):
            low, high = int(network.network_address), int(network.broadcast_address)
            text = _text(column)
            octets = [f"TRY_CAST(split_part({text}, '.', {place}) AS BIGINT)" for place in (1, 2, 3, 4)]
            whole = f"((({octets[0]} * 256 + {octets[1]}) * 256 + {octets[2]}) * 256 + {octets[3]})"
            return f"{whole} BETWEEN {self.parameters.add(low)} AND {self.parameters.add(high)}"
        hextets = network.network_address.exploded.split(":")[: network.prefixlen // HEXTET_BITS]
        if network.prefixlen % HEXTET_BITS or not hextets or any(int(one, 16) == 0 for one in hextets):
            expected = "an IPv6 prefix of whole groups of 16 bits, none of them 0, such as 2001:db8::/32"
            raise ValueError(f"found {value.cidr}, expected {expected}")
        prefix = "".join(f"{int(one, 16):x}:" for one in hextets)
        return f"starts_with(lower({_text(column)}), {self.parameters.add(prefix)})"


def _text(column: Column) -> str:
    return column.sql if column.kind == TEXT else f"CAST({column.sql} AS VARCHAR)"


def _number(column: Column) -> str:
    if column.kind not in (NUMBER, TIME):
        raise ValueError("found a number to compare with, expected text: this field is no number")
    return f"({column.sql})"


def _parsed(text: str) -> float:
    try:
        return SigmaNumber(text).number
    except ValueError:
        raise ValueError(f"found {text!r}, expected a number") from None


def _like(part: object) -> str:
    if part is SpecialChars.WILDCARD_MULTI:
        return "%"
    if part is SpecialChars.WILDCARD_SINGLE:
        return "_"
    return str(part).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
