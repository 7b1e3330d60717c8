from detector.contract import ANALYTICS as JUDGED
from lab.authoring.kinds import behaviour_names
from lab.authoring.plans import TECHNIQUES
from lab.report.attack import _WEB_KINDS, ANALYTICS, WEB, technique_of, web


def test_analytics_and_techniques_are_those_of_the_scenarios():
    assert {key: one.technique for key, one in ANALYTICS.items()} == dict(TECHNIQUES)
    assert set(ANALYTICS) == set(JUDGED)


def test_kinds_of_the_web_are_behaviours():
    assert set(behaviour_names()) >= _WEB_KINDS
    assert web("AN1793", "long-poll")
    assert not web("AN1702", "http-poll")


def test_pages():
    assert WEB.page == "https://attack.mitre.org/techniques/T1437/001/"
    assert [one.technique for one in technique_of("AN1702", "socks-relay")] == ["T1604"]
