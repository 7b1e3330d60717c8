"""The shortcut report as a person reads it."""

from dataclasses import replace

from lab.catalogue.columns import FEW, LEAK, OK, Column
from lab.catalogue.shortcuts import POOL, Report
from lab.catalogue.shortcuts_terminal import print_shortcuts

WELL = Column("apps", "uid", "twins", "drawn", 160, 160, 0.52, 0.5, 0.03, OK)
FEWER = Column("apps", "category", "twins", "written", 7, 7, 0.7, None, 0.16, FEW)
REPORT = Report("smoke", 160, 2, (WELL, FEWER), (), (), ())


def printed(capsys, *reports):
    print_shortcuts(reports)
    return " ".join(capsys.readouterr().out.split())


def test_columns_are_told_with_their_interval_and_verdict(capsys):
    text = printed(capsys, REPORT, replace(REPORT, suite=POOL, columns=(WELL, replace(FEWER, verdict=OK))))
    assert "suite smoke: 2 scenarios, 160 seeds" in text
    assert "0.46 to 0.58" in text
    assert "smoke: 1 of 2 columns have too few apps here to be judged (1 of them beyond 0.6)" in text
    assert "nobody can judge" not in text


def test_leaks_and_what_nobody_can_judge_are_told(capsys):
    leaky = replace(REPORT, columns=(replace(WELL, stump=0.9, verdict=LEAK), FEWER), one_class=("port tcp 4444",))
    text = printed(capsys, leaky, replace(REPORT, suite=POOL))
    assert "smoke: apps, uid, against twins: AUC 0.90" in text
    assert "smoke: port tcp 4444: spoken by attacks only" in text
    assert "smoke: nobody can judge apps, category, against twins: AUC 0.70" in text
    assert "too few to tell, and it looks like a leak smoke: make these columns alike" in text
