"""Sigma files on disk, and the process that reads them."""

from __future__ import annotations

import pytest

from detector.sigma.asked import LONGEST, compiled, texts_of

RULE = "title: T\nname: t\nlogsource: {category: dns}\ntags: [attack.t1437]\ndetection: {s: {query: a}, condition: s}\n"


def test_a_folder_gives_its_rules_by_name_and_nothing_else(tmp_path):
    (tmp_path / "deep").mkdir()
    for name in ("b.yml", "deep/a.yaml", "README.md", "c.yml.bak"):
        (tmp_path / name).write_text(RULE)
    assert [name for name, _ in texts_of(tmp_path)] == [str(tmp_path / "b.yml"), str(tmp_path / "deep/a.yaml")]


def test_what_is_no_rule_file_is_told(tmp_path):
    with pytest.raises(LookupError, match="not found, expected a Sigma rule or a folder"):
        texts_of(tmp_path / "none.yml")
    with pytest.raises(LookupError, match=r"found no rule files, expected 1 to 5,000 of \.yml, \.yaml"):
        texts_of(tmp_path)
    (tmp_path / "binary.yml").write_bytes(b"\xff\xfe")
    with pytest.raises(LookupError, match=r"unreadable .*expected a Sigma rule in UTF-8"):
        texts_of(tmp_path)
    (tmp_path / "binary.yml").write_bytes(b"#" * (LONGEST + 1))
    with pytest.raises(LookupError, match="expected a rule of at most"):
        texts_of(tmp_path)


def test_rules_come_back_as_queries_and_faults_as_one_error():
    pytest.importorskip("sigma.collection", reason="the extra sigma is not installed")
    (one,) = compiled([("x.yml", RULE)], None, "x.yml")
    assert (one.query.rule, one.query.analytic, one.knob, one.query.needs) == ("t", "AN1793", None, ("dns",))
    with pytest.raises(LookupError, match=r"x\.yml: t: field queri: unknown here"):
        compiled([("x.yml", RULE.replace("query", "queri"))], None, "x.yml")
