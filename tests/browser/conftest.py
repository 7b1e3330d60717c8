"""A real Chromium, headless, and a page of a report with everything in it, made without playing anything."""

import os
import shutil
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from lab.report import html
from lab.report.strips import Strip
from lab.score import score

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PATIENCE_MS = 120_000  # a busy machine is not a fault


def pytest_collection_modifyitems(items):
    for item in items:
        if "tests/browser/" in item.nodeid:
            item.add_marker(pytest.mark.browser)
            if CHROMIUM is None:
                item.add_marker(pytest.mark.skip(reason="Chromium is absent: apt-get install chromium"))


@pytest.fixture(scope="session")
def chromium():
    from playwright.sync_api import sync_playwright

    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=[*root, "--disable-gpu"])
        yield started
        started.close()


@pytest.fixture
def opened(chromium, tmp_path):
    """Opens a page's text and gives it with all that it said, asked for, and did; closed in the end."""

    @contextmanager
    def opening(text, *, scripted=True, **context):
        path = tmp_path / "report.html"
        path.write_text(text, encoding="utf-8")
        place = chromium.new_context(**{"viewport": {"width": 1280, "height": 900}, **context})
        page = place.new_page()
        page.set_default_timeout(PATIENCE_MS)
        seen = SimpleNamespace(page=page, said=[], asked=[], dialogs=[])
        page.on("console", lambda message: seen.said.append(message.text))
        page.on("pageerror", lambda fault: seen.said.append(str(fault)))
        page.on("request", lambda request: seen.asked.append(request.url))
        page.on("dialog", lambda dialog: (seen.dialogs.append(dialog.message), dialog.dismiss()))
        page.goto(path.as_uri())
        if scripted and context.get("java_script_enabled", True):
            page.wait_for_selector("html[data-ready]", state="attached")
        try:
            yield seen
        finally:
            place.close()

    return opening


def answer(said, **changes):
    names = ("regular", "small", said)
    factors = [
        {"name": name, "value": 0.5, "contribution": 0.1 * (3 - place), "expected": said}
        for place, name in enumerate(names)
    ]
    row = {"outcome": "below", "text": f"scored 0.3, below 0.6 {said}", "score": 0.3, "threshold": 0.6}
    row |= {"factors": factors, "counterfactual": {"text": f"regular 0.9 instead of 0.5 {said}"}, "together": ()}
    return row | changes


def boundary(detector):
    cells = [
        {"x": x, "y": y, "found": max(0, 4 - i - 2 * j), "of": 4}
        for i, x in enumerate((0.0, 0.5, 0.9))
        for j, y in enumerate((30, 3600))
    ]
    axes = {
        "x": {"name": "jitter", "unit": "", "values": [0.0, 0.5, 0.9]},
        "y": {"name": "period", "unit": "s", "values": [30, 3600]},
    }
    return {
        "detector": detector,
        "analytic": "AN1793",
        "behaviour": "http-poll",
        "view": "full",
        **axes,
        "cells": cells,
        "limit": [{"x": 0.9, "y": 30}, {"x": 0.0, "y": 3600}],
    }


def strip(make, scenario, incident):
    spoken = [(make.START + hour * make.HOUR, make.START + hour * make.HOUR + 1) for hour in range(24)]
    sizes = [(time, 300 + 10 * (time % 7), 5000) for time, _ in spoken]
    night = [(make.START, make.START + 7 * make.HOUR)]
    day = [(make.START + 9 * make.HOUR, make.START + 10 * make.HOUR)]
    return Strip(scenario, 1, incident, make.START, 24 * make.HOUR, spoken, night, day, night, sizes)


@pytest.fixture(scope="session")
def parts():
    """Builders of what stands beside a scorecard: parts.answer(text), parts.strip(make, scenario, incident)."""
    return SimpleNamespace(answer=answer, strip=strip)


@pytest.fixture(scope="session")
def report(make):
    """The text of a page: one incident missed, one found, a false alarm, a rival, a control, a boundary."""
    miss, hit = make.finding(score=0.3, alert=False), make.finding()
    wrong = make.finding(package="com.example.news", peer="feed.example", score=0.95)
    trials = [make.trial(miss, wrong), make.trial(hit, scenario="polling-other")]
    trials += [make.trial(hit, view="no-sni"), make.trial(detector="silent")]
    trials += [make.trial(make.finding(detector="rival", score=0.6), detector="rival", scenario="polling-other")]
    card = score(trials, suite="core", seeds=1, budget=0.001).to_json()
    card["boundary"] = [boundary("builtin")]
    name = make.incident().incident
    told = {("polling-plain", 1, "full", "builtin", name): answer("")}
    strips = [strip(make, scenario, name) for scenario in ("polling-plain", "polling-other")]
    return html.render(card, provenance={"droidrange": "0.1.0"}, strips=strips, answers=told)
