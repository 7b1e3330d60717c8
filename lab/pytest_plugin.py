"""The pytest plugin (docs/ci.md): fixtures ``recording`` and ``scorecard``, and ``--droidrange-suite``.

Every pytest run on a machine with droidrange loads this file: nothing of ours is imported before it is asked for.
"""

from __future__ import annotations

import secrets
import shutil
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from lab.asserting.keep import Keep
    from lab.asserting.quantity import CardUnderTest
    from lab.recording import Recording
    from lab.running.trial import Plan

NO_EVIDENCE = 3
CACHE = ".droidrange_cache"
SESSION = pytest.StashKey[str]()
PLAN = pytest.StashKey["Plan"]()
EXPLAINED = pytest.StashKey[list[str]]()
#: Faults after which there is nothing to assert on: an error, never a failure.
ERRORS = ("EvidenceError", "PrerequisiteError", "ScenarioError", "StageError", "Unsupported")


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options; what they say of detector, view and so on is the fixtures' default, too."""
    group = parser.getgroup("droidrange", "droidrange: a firing range for network detections")
    add = group.addoption
    add("--droidrange-suite", metavar="NAME", help="collect a test for every incident of this suite or scenario")
    add("--droidrange-detector", metavar="NAME[:ARG]", action="append", help="may be repeated (builtin)")
    add("--droidrange-view", metavar="NAME", action="append", help="what the sensor shows; may be repeated (full)")
    add("--droidrange-seeds", metavar="N", type=int, default=1, help="how many seeds of every scenario (1)")
    add("--droidrange-seed", metavar="N", type=int, default=1, help="the first of them (1)")
    add("--droidrange-stage", metavar="NAME", default="wire", help="where it is played: wire or flows (wire)")
    add("--droidrange-budget", metavar="RATE", type=float, default=0.001, help="false alarms per device-day (0.001)")
    add("--droidrange-devices", metavar="N", type=int, help="how many phones, instead of as many as are written")
    add("--droidrange-learn", metavar="SPAN", help="learn what is usual from so long before")
    add("--droidrange-config", metavar="FILE", help="thresholds that decide instead of every incident (gate.toml)")
    add("--droidrange-cache", metavar="DIR", help=f"where recordings are kept ({CACHE} beside the configuration)")


def pytest_configure(config: pytest.Config) -> None:
    """The marker by which the collected items are chosen, and the name of the session, which its workers share."""
    config.addinivalue_line("markers", "droidrange: an item of --droidrange-suite, collected from a scorecard")
    given = getattr(config, "workerinput", {}).get("droidrange_session")
    config.stash[SESSION] = given or secrets.token_hex(8)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tells a worker of pytest-xdist the name of the session."""
    node.workerinput["droidrange_session"] = node.config.stash[SESSION]


def pytest_unconfigure(config: pytest.Config) -> None:
    """The scorecards of a session go with it."""
    if not _is_worker(config) and SESSION in config.stash:
        shutil.rmtree(_cache(config) / "sessions" / config.stash[SESSION], ignore_errors=True)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Plays the suite, once, before any worker is started; exit code 4 for what is misspelt, 3 for no evidence."""
    config = session.config
    if config.getoption("droidrange_suite") is None:
        return
    with _answered():
        config.stash[PLAN] = _plan(config)
        if not _is_worker(config):
            capture = config.pluginmanager.getplugin("capturemanager")
            from lab.console import progress

            with capture.global_and_fixture_disabled() if capture else nullcontext():
                _judged(config, progress)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Adds an item for every incident and for what must hold of all."""
    if PLAN in config.stash:
        from lab.asserting.items import items_of

        with _answered():
            items += items_of(session, config.stash[PLAN].suite, _judged(config))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Refuses a selection that leaves nothing of the suite: it would pass without a look.

    A worker of pytest-xdist that fails at this would be started again; it gets an item that is an error instead.
    """
    config = session.config
    if PLAN not in config.stash:
        return
    chosen = config.getoption("keyword") or config.getoption("markexpr")
    if chosen and not any(item.get_closest_marker("droidrange") for item in session.items):
        said = f"-k or -m {chosen!r} leaves nothing of --droidrange-suite, which would be no test"
        if not _is_worker(config):
            raise pytest.UsageError(said)
        from lab.asserting.items import items_of
        from lab.asserting.judged import Judged

        session.items += items_of(session, config.stash[PLAN].suite, [Judged("selection", "no-evidence", (said,))])


@pytest.fixture(scope="session")
def recording(pytestconfig: pytest.Config) -> Callable[..., Recording]:
    """``recording("https-poll-5m", seed=1, stage="flows", devices=None)``: played once, kept, proved whole."""

    def recording(scenario: str, seed: int = 1, *, stage: str | None = None, devices: int | None = None) -> Recording:
        from lab.asserting.plans import plan_of
        from lab.errors import ScenarioError

        plan = plan_of(scenario, seed=seed, stage=stage or pytestconfig.getoption("droidrange_stage"), devices=devices)
        if len(plan.scenarios) != 1:
            raise ScenarioError([f"{scenario}: found a suite, expected one scenario"])
        return _keep(pytestconfig).recording(plan)

    return recording


@pytest.fixture(scope="session")
def scorecard(pytestconfig: pytest.Config) -> Callable[..., CardUnderTest]:
    """``scorecard("core", detector="builtin", view="full", seeds=1, ...)``, what is left out as the options say.

    Skips the test if the detector can judge nothing there; EvidenceError if a trial failed.
    """

    def scorecard(suite: str, detector: str | None = None, view: str | None = None, **settings: Any) -> CardUnderTest:
        from lab.asserting.evidence import card_under_test
        from lab.asserting.plans import plan_of

        given = _given(pytestconfig)
        detectors, views = given.pop("detectors")[:1], given.pop("views")[:1]
        looks: dict[str, Any] = {
            "detectors": (detector,) if detector else detectors,
            "views": (view,) if view else views,
        }
        plan = plan_of(suite, **looks, **{**given, **settings})
        card = card_under_test(_keep(pytestconfig).scorecard(plan), plan.detectors[0], plan.views[0])
        if isinstance(card, str):
            pytest.skip(card)
        return card

    return scorecard


def pytest_assertrepr_compare(config: pytest.Config, op: str, left: object, right: object) -> list[str] | None:
    """What counts against a quantity whose limit is not met, by name, with the commands that play it again."""
    ours = sys.modules.get("lab.asserting.quantity")
    lines: list[str] = []
    if ours is not None and isinstance(left, ours.Quantity):
        lines = left.explained(op, right)
    elif ours is not None and isinstance(right, ours.Quantity) and op in ours.FLIPPED:
        lines = right.explained(ours.FLIPPED[op], left)
    config.stash[EXPLAINED] = lines
    return lines or None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Marks the report of a test that had no evidence, and tells what pytest cuts off a long explanation."""
    report = yield
    known, lines = sys.modules.get("lab.errors"), item.config.stash.get(EXPLAINED, [])
    if known is not None and call.excinfo is not None:
        kinds = tuple(getattr(known, name) for name in ERRORS)
        vars(report)["droidrange_error"] = isinstance(call.excinfo.value, kinds)  # pytest-xdist carries it along
        if lines and lines[-1] not in report.longreprtext:
            report.sections.append(("droidrange", "\n".join(lines)))
        item.config.stash[EXPLAINED] = []
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_report_teststatus(report: Any) -> tuple[str, str, str] | None:
    """No evidence is an error, not a failure: neither of the two is a pass."""
    return ("error", "E", "ERROR") if getattr(report, "droidrange_error", False) else None


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def _cache(config: pytest.Config) -> Path:
    given = config.getoption("droidrange_cache", None)
    return config.invocation_params.dir / given if given else config.rootpath / CACHE


def _keep(config: pytest.Config) -> Keep:
    from lab.asserting.keep import Keep

    return Keep(_cache(config), _cache(config) / "sessions" / config.stash[SESSION])


def _given(config: pytest.Config) -> dict[str, Any]:
    """What the options ask for, by the names of plan_of."""
    names = ("seeds", "seed", "stage", "budget", "devices", "learn")
    given = {name: config.getoption(f"droidrange_{name}") for name in names}
    detectors = config.getoption("droidrange_detector") or ["builtin"]
    return {**given, "detectors": tuple(detectors), "views": tuple(config.getoption("droidrange_view") or ["full"])}


def _plan(config: pytest.Config) -> Plan:
    from lab.asserting.plans import plan_of

    return plan_of(config.getoption("droidrange_suite"), **_given(config))


def _judged(config: pytest.Config, phase: Any = None) -> Any:
    """What the suite's items are, made from its scorecard, which is played if nobody has."""
    from lab.asserting.evidence import settings_of
    from lab.asserting.judged import judged
    from lab.running.phase import in_silence

    plan, thresholds = config.stash[PLAN], config.getoption("droidrange_config")
    settings, baseline = settings_of(config.invocation_params.dir / thresholds if thresholds else None)
    content = _keep(config).scorecard(plan, phase or in_silence)
    return judged(content, plan.detectors, plan.views, settings, baseline)


@contextmanager
def _answered() -> Iterator[None]:
    """Whatever stops a suite leaves as a message: a usage error, or the exit code of no evidence."""
    from lab.errors import EvidenceError, PrerequisiteError, ScenarioError, StageError

    try:
        yield
    except (EvidenceError, PrerequisiteError, StageError) as fault:
        pytest.exit(f"droidrange: no evidence: {fault}", returncode=NO_EVIDENCE)
    except (ScenarioError, LookupError, FileNotFoundError, FileExistsError) as fault:
        raise pytest.UsageError(f"droidrange: {fault}") from None
