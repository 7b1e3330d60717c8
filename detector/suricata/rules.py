"""Suricata rules as text: file, line, sid, metadata, and the threshold of each; what they match is Suricata's affair.

Follows Suricata 7's own loader (detect-engine-loader.c, from memory, and tried): a line that begins with a blank is
skipped, a backslash at its end joins the next, and an unescaped semicolon ends an option.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from detector.rule_analytic import KEY, analytic_of

SUFFIX = ".rules"
LARGEST = 64 << 20  # bytes of one file: the largest public rule set has 40 MB (from memory)
#: Actions of rules that alert; pass is silent, and config is no detection.
ALERTING = ("alert", "drop", "reject", "rejectsrc", "rejectdst", "rejectboth")
BLANK = (" ", "\t")
TECHNIQUE = "mitre_technique_id"
_HEAD = re.compile(r"^(\w+)\s+(.+?)\s*\((.*)\)\s*$", re.DOTALL)
_OPTION = re.compile(r"((?:[^\\;]|\\.)+);", re.DOTALL)
_COUNT = re.compile(r"^(\s*count\s+)([0-9]+)(\s*)$")
_NUMBER = re.compile(r"[0-9]{1,10}")


@dataclass(frozen=True)
class Rule:
    """One rule and where it stands; ``text`` without line ends, ``options`` as (keyword, value) in their order."""

    path: Path
    line: int
    text: str
    action: str = ""
    options: tuple[tuple[str, str], ...] = ()

    @property
    def place(self) -> str:
        """File and line, as an author looks for them."""
        return f"{self.path}, line {self.line}"

    @property
    def sid(self) -> int | None:
        """Its number; None where the rule is none that Suricata would load."""
        text = self._value("sid")
        return int(text) if text and _NUMBER.fullmatch(text) else None

    @property
    def message(self) -> str:
        """What it says when it matches."""
        return (self._value("msg") or "").strip('"')

    @property
    def alerts(self) -> bool:
        """Whether a match of it is told to anybody."""
        silent = ("noalert", "") in self.options or ("flowbits", "noalert") in self.options
        return self.action in ALERTING and not silent

    @property
    def metadata(self) -> dict[str, list[str]]:
        """The values of each key of its metadata."""
        found: dict[str, list[str]] = {}
        for name, value in self.options:
            for pair in value.split(",") if name == "metadata" else ():
                key, _, rest = pair.strip().partition(" ")
                found.setdefault(key, []).append(rest.strip())
        return found

    @property
    def count(self) -> int | None:
        """How many matches its threshold or detection_filter asks for; None where it has none that decides."""
        for name, value in self.options:
            words = dict(part.strip().partition(" ")[::2] for part in value.split(","))
            if name == "detection_filter" or (name == "threshold" and words.get("type") in ("threshold", "both")):
                count = words.get("count", "").strip()
                return int(count) if _NUMBER.fullmatch(count) else None
        return None

    def analytic(self, given: str | None) -> str:
        """The analytic it speaks for; LookupError with its place where it does not tell (detector/rule_analytic.py)."""
        metadata = self.metadata
        said = metadata.get(KEY, [None])[0]
        who = f"{self.place}, sid {self.sid}"
        line = f"metadata:{KEY} AN1793; or metadata:{TECHNIQUE} T1437;"
        return analytic_of(metadata.get(TECHNIQUE, ()), said=said, given=given, rule=who, line=line)

    def counting(self, count: int) -> Rule:
        """The same with another count in its threshold."""
        options = tuple((name, _recounted(name, value, count)) for name, value in self.options)
        head = self.text[: self.text.index("(") + 1]
        said = " ".join(f"{name}:{value};" if value else f"{name};" for name, value in options)
        return replace(self, options=options, text=f"{head}{said})")

    def _value(self, keyword: str) -> str | None:
        return next((value for name, value in self.options if name == keyword), None)


def read_rules(path: Path) -> tuple[Rule, ...]:
    """All rules of a file, or of the files *.rules directly in a folder, by name; LookupError says what is wrong."""
    if path.is_dir():
        files = sorted(one for one in path.glob(f"*{SUFFIX}") if one.is_file())
        if not files:
            raise LookupError(f"found no *{SUFFIX} file in the folder {path}, expected one or more")
    else:
        files = [path]
    rules = tuple(rule for file in files for rule in _rules(file))
    if not rules:
        raise LookupError(f"{path}: found no rule, expected one or more (lines that begin with # are none)")
    return rules


def _rules(path: Path) -> Iterator[Rule]:
    try:
        if not path.is_file() or path.stat().st_size > LARGEST:
            found = "no such file" if not path.exists() else f"no file, or one of more than {LARGEST:,} bytes"
            raise LookupError(f"found {found}: {path}, expected Suricata rules (a file, or a folder of *{SUFFIX})")
        text = path.read_bytes().decode("utf-8", "surrogateescape")
    except (OSError, ValueError) as fault:
        raise LookupError(f"found nothing readable: {path} ({fault}), expected Suricata rules") from None
    lines = text.split("\n")
    number = 0
    while number < len(lines):
        first = number
        piece = lines[number].rstrip("\r")
        if piece[:1] in BLANK and piece.lstrip().startswith(ALERTING):
            raise LookupError(
                f"{path}, line {first + 1}: found a rule behind a blank, expected it at the line's beginning: "
                "Suricata skips such a line without a word"
            )
        while piece.endswith("\\") and piece[:1] not in ("#", *BLANK) and number + 1 < len(lines):
            number += 1
            piece = piece[:-1] + lines[number].rstrip("\r")
        number += 1
        if piece and piece[0] not in ("#", ";", *BLANK):
            yield parsed(path, first + 1, piece)


def parsed(path: Path, line: int, text: str) -> Rule:
    """A rule read as far as it can be; what is no rule at all keeps its place, and Suricata will name it.

    >>> rule = parsed(Path("x.rules"), 7, 'alert dns any any -> any any (msg:"m"; metadata:a b; sid:5; rev:1;)')
    >>> rule.sid, rule.message, rule.metadata
    (5, 'm', {'a': ['b']})
    """
    match = _HEAD.match(text)
    if match is None:
        return Rule(path, line, text)
    pairs = (option.strip().partition(":")[::2] for option in _OPTION.findall(match[3]))
    return Rule(path, line, text, match[1], tuple((name.strip(), value.strip()) for name, value in pairs))


def sids(rules: Sequence[Rule]) -> dict[int, Rule]:
    """The rules that alert, by sid."""
    return {rule.sid: rule for rule in rules if rule.alerts and rule.sid is not None}


def _recounted(name: str, value: str, count: int) -> str:
    if name not in ("threshold", "detection_filter"):
        return value
    return ",".join(_COUNT.sub(rf"\g<1>{count}\g<3>", part) for part in value.split(","))
