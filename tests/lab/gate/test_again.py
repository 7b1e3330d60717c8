"""The command that plays a row again: every word that a shell could misread is quoted."""

import shlex

from lab.gate.again import command

ROW = {"scenario": "a", "seed": 3, "stage": "wire", "detector": "elastic:jitter=0.4,gate", "view": "no-app"}


def test_it_says_all_that_the_run_was_asked():
    card = {"devices": 50, "learn_s": 259_200.0, "poison": 0.1, "novel": 0.5, "evidence": {"speed": 60.0}}
    words = shlex.split(command(ROW, card))
    assert words[:5] == ["droidrange", "run", "a", "--seed", "3"]
    said = {"--devices": "50", "--learn": "259200s", "--poison": "0.1", "--novel": "0.5", "--speed": "60.0"}
    assert {option: words[words.index(option) + 1] for option in said} == said
    assert words[words.index("--detector") + 1] == "elastic:jitter=0.4,gate"


def test_a_hostile_name_is_one_word():
    row = {**ROW, "detector": "sql:$(rm -rf .); `x` 'y'.sql"}
    assert row["detector"] in shlex.split(command(row, {}))


def test_a_plain_run_has_no_more_options():
    assert not {"--learn", "--poison", "--novel"} & {*shlex.split(command(ROW, {}))}


def test_a_cell_of_a_sweep_is_played_by_its_suite():
    card = {"suite": "core", "evidence": {"turned": {"a": ["polling.jitter=0.3", "polling.period=30s"]}}}
    words = shlex.split(command(ROW, card))
    assert words[2] == "core"
    assert [words[at + 1] for at, word in enumerate(words) if word == "--vary"] == card["evidence"]["turned"]["a"]
    assert words[-1] == "out/again/a-s3"


def test_somebodys_own_file_is_played_by_its_path():
    words = shlex.split(command(ROW, {"suite": "mine", "evidence": {"asked": "my polls/mine.toml"}}))
    assert words[:3] == ["droidrange", "run", "my polls/mine.toml"]
