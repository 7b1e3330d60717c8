"""Rules as text: where each stands, what its metadata and threshold say, and what Suricata would skip in silence."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.suricata.rules import parsed, read_rules, sids

HERE = Path("x.rules")
PLAIN = 'alert tls any any -> any any (msg:"a b"; tls.sni; content:"x\\;y"; metadata:mitre_technique_id T1437.001, k v; sid:7; rev:2;)'


def rule(**options):
    said = "".join(f" {name.rstrip('_')}:{value};" for name, value in options.items())
    return parsed(HERE, 1, f'alert dns any any -> any any (msg:"m";{said} sid:1;)')


def test_a_rule_is_read_with_its_escapes():
    one = parsed(HERE, 4, PLAIN)
    assert (one.sid, one.message, one.action, one.place) == (7, "a b", "alert", "x.rules, line 4")
    assert dict(one.options)["content"] == '"x\\;y"'
    assert one.metadata == {"mitre_technique_id": ["T1437.001"], "k": ["v"]}
    assert one.analytic(None) == "AN1793"


@pytest.mark.parametrize(
    ("options", "count"),
    [
        ({"threshold": "type both, track by_src, count 20, seconds 60"}, 20),
        ({"threshold": "type threshold,track by_src,count 3,seconds 60"}, 3),
        ({"detection_filter": "track by_dst, count 5, seconds 60"}, 5),
        ({"threshold": "type limit, track by_src, count 1, seconds 60"}, None),
        ({"threshold": "type both, track by_src, count many, seconds 60"}, None),
        ({}, None),
    ],
)
def test_the_count_that_decides(options, count):
    one = rule(**options)
    assert one.count == count
    if count is not None:
        other = one.counting(99)
        assert other.count == 99
        assert parsed(HERE, 1, other.text).options == other.options
        assert other.counting(count).options == one.options


def test_a_rule_without_a_technique_names_the_line_to_add():
    with pytest.raises(LookupError, match=r"x.rules, line 1, sid 1: .*add metadata:droidrange_analytic AN1793;"):
        rule().analytic(None)
    assert rule().analytic("AN1702") == "AN1702"
    assert rule(metadata="droidrange_analytic AN1702, mitre_technique_id T1437").analytic(None) == "AN1702"


def test_files_comments_continuations_and_line_numbers(tmp_path):
    first, second = tmp_path / "a.rules", tmp_path / "b.rules"
    first.write_text(f'# comment\n\n{PLAIN}\r\nalert ip any any -> any any ( \\\n  msg:"two"; \\\n  sid:8;)\n')
    second.write_text("pass ip any any -> any any (sid:9;)\nalert ip any any -> any any (flowbits:noalert; sid:10;)\n")
    (tmp_path / "notes.txt").write_text("no rule")
    rules = read_rules(tmp_path)
    assert [(one.path.name, one.line, one.sid) for one in rules] == [
        ("a.rules", 3, 7),
        ("a.rules", 4, 8),
        ("b.rules", 1, 9),
        ("b.rules", 2, 10),
    ]
    assert rules[1].message == "two"
    assert list(sids(rules)) == [7, 8]
    assert read_rules(first) == rules[:2]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("# nothing\n", "found no rule"),
        (f" {PLAIN}\n", r"line 1: found a rule behind a blank"),
        (f"\n\t{PLAIN}\n", r"line 2: found a rule behind a blank"),
    ],
)
def test_what_suricata_would_skip_in_silence_is_refused(tmp_path, text, told):
    path = tmp_path / "x.rules"
    path.write_text(text)
    with pytest.raises(LookupError, match=told):
        read_rules(path)


def test_places_without_rules_are_refused(tmp_path):
    with pytest.raises(LookupError, match=r"found no \*.rules file in the folder"):
        read_rules(tmp_path)
    with pytest.raises(LookupError, match="found no such file"):
        read_rules(tmp_path / "nowhere.rules")
    with pytest.raises(LookupError, match="found no such file"):
        read_rules(Path("\0"))


@given(st.text(max_size=200))
def test_any_text_at_all_is_read(text):
    one = parsed(HERE, 1, text)
    assert one.text == text
    assert one.sid is None or one.sid >= 0
    assert one.count is None or one.count >= 0
