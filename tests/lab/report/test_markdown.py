"""Markdown as it is read: tables keep their columns, and no name is more than a name."""

import re

from markdown_it import MarkdownIt

from lab.report.markdown import HEADS, page, summary

READER = MarkdownIt("commonmark", {"html": True}).enable("table")
FOREIGN = {"html_inline", "html_block", "link_open", "image", "em_open", "s_open", "fence", "code_block", "hr"}


def kinds(content):
    tokens = READER.parse(content.decode())
    return {token.type for token in tokens} | {child.type for token in tokens for child in token.children or ()}


def columns(content):
    """The number of cells of every row of every table."""
    rows = re.findall(r"<tr>(.*?)</tr>", READER.render(content.decode()), re.DOTALL)
    return [len(re.findall(r"<t[hd]\b", row)) for row in rows]


def test_the_scoreboard(exports):
    card = exports.card()
    told = page(card, exports.cases(card)).decode()
    assert "# droidrange: suite `specimen`" in told
    assert "**This run is no evidence\\: 2 of 12 trials failed.**" in told
    assert "| `specimen` | `full` | AN1793 command polling | 78 % of 9, 1 of 9 unseen | 45 to 94 % |" in told
    assert "Incidents, over detectors and views: 13 detected, 2 missed, 2 unseen, 3 unsupported, 3 failed." in told
    assert "`droidrange run specimen-00 --seed 1 --stage flows --detector specimen --view full" in told
    assert "- failed: `specimen-05, seed 1, specimen, full`: `recording lost`" in told
    assert "| 1 | `com.example.news` | tools | benign | AN1793 | `specimen, full` |" in told


def test_what_cannot_be_judged_has_no_numbers(exports):
    card = exports.clean()
    whole = card["detectors"]["specimen"]["views"]["full"]["analytics"]["AN1702"]
    whole["trials"]["scored"] = 0
    line = next(line for line in page(card, []).decode().split("\n") if "AN1702 traffic" in line)
    assert line == "| `specimen` | `full` | AN1702 traffic relaying | cannot judge |  |  |  |  |  |  |"


def test_a_summary_is_short(exports):
    card = exports.card()
    found = exports.cases(card)
    many = [case for case in found if case.status == "missed"] * 30
    told = summary(card, many).decode()
    assert told.startswith("## droidrange")
    assert told.count("| `phone-0") == 20
    assert "and 40 more" in told
    assert "reproduced and distributed" not in told
    assert len(summary(card, found)) < len(page(card, found))


def test_every_row_has_the_columns_of_its_table(exports):
    for text in ("", *exports.texts):
        card = exports.card(text)
        content = page(card, exports.cases(card))
        assert set(columns(content)) == {len(HEADS), 6}


def test_hostile_text_is_no_markup(exports):
    for text in exports.texts:
        card = exports.card(text)
        for content in (page(card, exports.cases(card)), summary(card, exports.cases(card))):
            assert not kinds(content) & FOREIGN, text


def test_markup_would_be_seen(exports):
    card = exports.clean()
    content = page(card, exports.cases(card))
    assert not kinds(content) & FOREIGN
    assert kinds(content + b"\n<b>x</b> [x](y)\n") & FOREIGN == {"html_inline", "link_open"}
    assert kinds(content + b"\nso [x](y)\n") & FOREIGN == {"link_open"}
