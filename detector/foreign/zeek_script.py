"""A Zeek script as text: which notices it defines, which analytic it speaks for, and what must be shown to load it.

Nothing is run here. Source of ``redef enum Notice::Type += { ... };``: Zeek's notice framework, from memory.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from detector.foreign.shown import shown
from detector.rule_analytic import KEY, analytic_of, techniques_in

SUFFIXES = (".zeek", ".sig", ".bro")
_COMMENT = re.compile(r"#[^\n]*")
_TYPES = re.compile(r"redef\s+enum\s+Notice::Type\s*\+=\s*\{([^}]*)\}")
_SAID = re.compile(rf"{KEY}\W+(AN\d+)")
_WORD = re.compile(r"[Tt]\d{4}(?:[._]\d{3})?")


@dataclass(frozen=True)
class Script:
    """A script or a folder of scripts, its notice types (without module), its text, and the analytic of them all."""

    path: Path
    notices: frozenset[str]
    text: str
    analytic: str | None  # None: each notice must say its own

    @property
    def digest(self) -> str:
        """Eight digits of the SHA-256 of all its text."""
        return hashlib.sha256(self.text.encode("utf-8", "surrogateescape")).hexdigest()[:8]


def read_script(path: Path, given: str | None) -> Script:
    """The script at a path, ``given`` being the analytic its caller names; LookupError where it can be no detector."""
    if path.is_dir():
        files = sorted(file for file in shown(path).rglob("*") if file.suffix in SUFFIXES)
        expected = f"a folder with {path.name}/__load__.zeek"
        there = (path / "__load__.zeek").is_file()
    else:
        files, expected, there = [path], "a Zeek script, or a folder with __load__.zeek", path.is_file()
    if not there:
        raise LookupError(f"{path}: not found, expected {expected}")
    text = "\n".join(file.read_text(encoding="utf-8", errors="surrogateescape") for file in files)
    notices = frozenset(
        name.strip() for body in _TYPES.findall(_COMMENT.sub("", text)) for name in body.split(",") if name.strip()
    )
    if not notices:
        expected = "redef enum Notice::Type += { My_Notice }; and NOTICE([$note=My_Notice, $msg=..., $conn=c])"
        raise LookupError(f"{path}: found no notice type, expected {expected}")
    return Script(path, notices, text, _analytic(path, text, given))


def _analytic(path: Path, text: str, given: str | None) -> str | None:
    said = sorted(set(_SAID.findall(text)))
    if len(said) > 1:
        return None
    tags = techniques_in(_WORD.findall(text))
    line = f"a comment such as '# {KEY} AN1793'"
    return analytic_of(tags, said=said[0] if said else None, given=given, rule=str(path), line=line)


def notice_analytic(text: str, script: Script) -> str:
    """The analytic of one notice: what its own words say, else the script's; LookupError where nobody says it."""
    said = _SAID.search(text)
    rule = f"{script.path}: notice {text!r}"
    tags = techniques_in(_WORD.findall(text))
    return analytic_of(
        tags, said=said[1] if said else None, given=script.analytic, rule=rule, line=f"'{KEY} AN1793' to its $sub"
    )
