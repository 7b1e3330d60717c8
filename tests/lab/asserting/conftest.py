"""A range that nobody plays, for pytest within pytest: detectors that are good, deaf, loud, crashing or not there."""

import pytest

#: The conftest of the inner pytest: also a worker of pytest-xdist, another process, must find the range it describes.
CONFTEST = '''
import os
from dataclasses import replace
from types import SimpleNamespace

import pytest

import lab.asserting.keep as keep
import lab.asserting.plans as plans
from lab.gate.specimen import card_of, specimen

patch = pytest.MonkeyPatch()
last = {}


def trials(name, view):
    """Three scenarios with two incidents each."""
    for one in specimen(1)[:3]:
        one = replace(one, detector=name, view=view)
        if name == "deaf":
            one = replace(one, findings=())
        if name == "loud":
            alarm = replace(one.findings[0], package="com.example.news", uid=10103, peer="feed.example")
            one = replace(one, findings=(*one.findings, alarm))
        if name == "crashing":
            one = replace(one, status="failed", reason="ZeroDivisionError: by 0", findings=(), judged=())
        if name == "absent":
            one = replace(one, status="unsupported", reason="is not installed", findings=(), judged=())
        if view == "dns-only":
            one = replace(one, findings=(), unseen=tuple(each.incident for each in one.truth.incidents))
        yield one


def run_suite(plan, folder, progress):
    with open(os.environ["PLAYED"], "a") as file:
        file.write(f"{plan.suite} {plan.detectors[0]}\\n")
    last["card"] = card_of([one for name in plan.detectors for view in plan.views for one in trials(name, view)])


def suite_scenarios(name):
    if name != "specimen":
        from lab.errors import ScenarioError
        raise ScenarioError([f"unknown scenario {name!r}"])
    return name, tuple(SimpleNamespace(name=one.scenario, sha256="0" * 64) for one in specimen(1)[:3])


def pytest_configure(config):
    patch.setattr(keep, "run_suite", run_suite)
    patch.setattr(keep, "scorecard_of", lambda folder, phase: SimpleNamespace(to_json=lambda: last["card"]))
    patch.setattr(plans, "suite_scenarios", suite_scenarios)
    patch.setattr(plans, "refuse_absurd", lambda *_words, **_more: None)


def pytest_unconfigure(config):
    patch.undo()
'''


@pytest.fixture
def inner(pytester, request, monkeypatch):
    """``inner(*options, test="...")``: what pytest says with those options in a folder with that test alone.

    ``inner.played()`` counts the plays so far.
    """
    pytester.makeconftest(CONFTEST)
    log = pytester.path / "played.txt"
    monkeypatch.setenv("PLAYED", str(log))
    plugin = [] if request.config.pluginmanager.hasplugin("droidrange") else ["-p", "lab.pytest_plugin"]
    apart = ["-p", "no:cacheprovider", "-p", "no:hypothesispytest", "-rA"]

    def run(*options, test="", workers=0):
        if test:
            pytester.makepyfile(test_inner=test)
        if workers:
            return pytester.runpytest_subprocess(*plugin, *apart, "-n", str(workers), *options)
        return pytester.runpytest_inprocess(*plugin, *apart, "-p", "no:xdist", *options)

    run.played = lambda: log.read_text().splitlines() if log.exists() else []
    return run
