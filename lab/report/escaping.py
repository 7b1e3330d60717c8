r"""Text from packets, scenarios and detectors made harmless in each format it is written into. Pure.

Every exporter sends what it did not write itself through here. Control and direction characters, lone surrogates and
what XML forbids become U+FFFD everywhere; what remains is taken apart only where a format would read it as its own.
"""

from __future__ import annotations

import re

from lab.report.words import plain

#: What a spreadsheet takes for the beginning of a formula (OWASP, CSV Injection, from memory), full width ones too.
FORMULA = frozenset(
    "=+-@\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}\N{FULLWIDTH HYPHEN-MINUS}\N{FULLWIDTH COMMERCIAL AT}"
)
_BACKTICKS = re.compile("`+")
#: Markup inside a line, GFM's bare links too; and what would make a block of a line that begins with it.
_MARKUP = re.compile(r"(?i)([\\`*_{}\[\]<>()#|~&!:@$]|(?<=www)\.|^\s*[-+=]|(?<=^\d)\.)")
_PIPE = "\N{FULLWIDTH VERTICAL LINE}"
_LEGACY = "##["  # a runner's older commands are obeyed anywhere in a line
_LINK = re.compile(r"\](?=[(\[])|\{(?=\d)")


def csv_cell(text: str) -> str:
    r"""A text that no spreadsheet runs: one that begins like a formula gets an apostrophe before it.

    >>> csv_cell("=1+1"), csv_cell("  -2"), csv_cell("a=b")
    ("'=1+1", "'  -2", 'a=b')
    """
    told = plain(text)
    return f"'{told}" if told.lstrip(" \N{REPLACEMENT CHARACTER}")[:1] in FORMULA and told.strip() else told


def annotation(text: str) -> str:
    r"""The message of a GitHub workflow command, which ends where its line does.

    >>> annotation("100 %\n::error::x"), annotation("a ##[error]b")
    ('100 %25�::error::x', 'a ## [error]b')
    """
    return plain(text).replace("%", "%25").replace(_LEGACY, "## [")


def annotation_property(text: str) -> str:
    """A property of a GitHub workflow command: a colon or comma would end it.

    >>> annotation_property("a,line=7::b")
    'a%2Cline=7%3A%3Ab'
    """
    return annotation(text).replace(":", "%3A").replace(",", "%2C")


def markdown(text: str) -> str:
    r"""Words of Markdown that are nothing but words, in a table's cell, too: no markup, link, image or HTML.

    >>> markdown("a|b [x](y) <b> 1.5-2, www.x")
    'a\\|b \\[x\\]\\(y\\) \\<b\\> 1.5-2, www\\.x'
    """
    return _MARKUP.sub(r"\\\1", plain(text).strip())


def markdown_code(text: str) -> str:
    r"""A name or command as a code span, in a table's cell, too: a pipe, which would end the cell, is drawn wide.

    >>> markdown_code("a`b|c") == "``a`b\N{FULLWIDTH VERTICAL LINE}c``"
    True
    """
    told = plain(text).replace("|", _PIPE).strip() or "\N{REPLACEMENT CHARACTER}"
    fence = "`" * (1 + max((len(run) for run in _BACKTICKS.findall(told)), default=0))
    room = " " if told.startswith("`") or told.endswith("`") else ""
    return f"{fence}{room}{told}{room}{fence}"


def sarif_text(text: str) -> str:
    """A plain text message of SARIF in which no viewer finds a link or a placeholder (2.1.0, 3.11.5 and 3.11.6).

    >>> sarif_text("see [x](http://y) {0}")
    'see [x] (http://y) { 0}'
    """
    return _LINK.sub(r"\g<0> ", plain(text))
