"""Hostile text in each format: what the format's own reader makes of it. Each property is shown to fail unescaped."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from lab.report.escaping import FORMULA, annotation, annotation_property, csv_cell, markdown, markdown_code, sarif_text

HOSTILE = st.one_of(
    st.text(),
    st.text(alphabet="|`\\*_[]()<>!#&~:@.=+-\n\r\t\x1b{}01awx/%,\u2028\u202e\ud800"),
    st.lists(
        st.sampled_from(
            [
                "\n::error::x",
                "##[error]x",
                "%0A",
                "<script>",
                "](http://e.example)",
                "![a](b)",
                "www.e.example",
                "``",
                "=1+1",
                "http://e.example",
                "a@b.example",
                "|",
                "\\",
                "&lt;",
                "{0}",
                "\x00",
                "<!--",
                "~~~",
                "---",
                "1. ",
            ]
        )
    ).map("".join),
)
READER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
WORDS = {"text", "inline", "paragraph_open", "paragraph_close", "code_inline", "softbreak"}
WORDS |= {f"{part}_{end}" for part in ("table", "thead", "tbody", "tr", "th", "td") for end in ("open", "close")}


def kinds(text):
    """The kinds of what a line of Markdown is read as."""
    tokens = READER.parse(text)
    return {token.type for token in tokens} | {child.type for token in tokens for child in token.children or ()}


def cells(texts):
    """The cells of the only row below a table's head, as they are read."""
    line = "| " + " | ".join(texts) + " |"
    tokens = READER.parse("| a | b | c |\n| --- | --- | --- |\n" + line)
    assert kinds("| a | b | c |\n| --- | --- | --- |\n" + line) <= WORDS
    body = tokens[next(i for i, token in enumerate(tokens) if token.type == "tbody_open") :]
    return [token for token in body if token.type == "inline"]


@given(HOSTILE)
def test_markdown_stays_words(text):
    assert kinds("so " + markdown(text)) <= WORDS
    assert kinds(markdown_code(text)) <= WORDS
    assert [token.children[0].type for token in READER.parse(markdown_code(text)) if token.children] == ["code_inline"]


@given(HOSTILE, HOSTILE)
def test_a_table_keeps_its_cells(one, other):
    assert len(cells([markdown(one), markdown_code(other), "end"])) == 3
    assert cells([markdown(one), markdown_code(other), "end"])[2].content == "end"


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "[x](http://e.example)", "![x](y)", "*b*", "`c` d"])
def test_markdown_unescaped_is_more_than_words(text):
    assert not kinds(text) <= WORDS - {"code_inline"}
    assert kinds(markdown(text)) <= WORDS - {"code_inline"}


def test_a_bare_pipe_moves_the_cells():
    assert cells(["a|b", "c", "end"])[2].content != "end"


@given(HOSTILE)
def test_an_annotation_is_one_line_and_no_other_command(text):
    line = f"::warning title={annotation_property(text)}::{annotation(text)}"
    assert line.splitlines() == [line]
    assert line.encode()
    assert "##[" not in line
    about, _, message = line.removeprefix("::warning ").partition("::")
    assert "," not in about
    assert message == annotation(text)


def test_an_annotation_unescaped_is_more():
    text = "x\n::error::planted, ##[group]"
    assert len(f"::warning::{text}".splitlines()) == 2
    assert "##[" in text


@given(HOSTILE)
def test_no_cell_of_a_csv_is_a_formula(text):
    out = io.StringIO()
    csv.writer(out).writerow([csv_cell(text), "end"])
    rows = list(csv.reader(io.StringIO(out.getvalue())))
    assert len(rows) == 1
    assert rows[0][1] == "end"
    assert rows[0][0].lstrip()[:1] not in FORMULA
    assert out.getvalue().encode()


def test_a_cell_unescaped_is_a_formula():
    assert "=1+1"[:1] in FORMULA
    assert csv_cell("=1+1") == "'=1+1"
    assert csv_cell("\t=1+1")[:1] == "'"


@given(HOSTILE)
def test_sarif_has_no_link_and_no_placeholder(text):
    told = sarif_text(text)
    assert "](" not in told
    assert not any(f"{{{digit}" in told for digit in "0123456789")
    assert told.encode() == told.encode("utf-8", "replace")


def test_what_is_plain_stays_as_it_is():
    text = "com.example.app on phone-01 at 0.5"
    assert annotation(text) == csv_cell(text) == sarif_text(text) == markdown(text) == text
    assert markdown_code(text) == f"`{text}`"
