"""200 hostile strings where names, addresses and agents stand: none runs, and each layer would hold alone."""

import re
from itertools import islice, product

import pytest

from lab.report import html
from lab.score import score

RUN = "window.canary=(window.canary||0)+1"
BREAKS = ["", "</title>", "</style>", "</script>", "</td>", "</summary></details>", "-->", "]]>", '">', "'>"]
PAYLOADS = [
    f"<script>{RUN}</script>",
    f"<img src=x onerror={RUN}>",
    f"<svg onload={RUN}>",
    f"<svg><animate onbegin={RUN} attributeName=x dur=1s>",
    f"<details open ontoggle={RUN}>",
    f"<input autofocus onfocus={RUN}>",
    f"<iframe srcdoc='<script>parent.{RUN}</script>'></iframe>",
    f"<body onload={RUN}>",
    f"<video><source onerror={RUN}>",
    f"<style>@import '//evil.example/x.css';</style><img src=//evil.example onerror={RUN}>",
    f"<a href=javascript:{RUN}>x</a>",
    f"<form action=javascript:{RUN}><button autofocus>x</button></form>",
    f"<meta http-equiv=refresh content='0;url=javascript:{RUN}'>",
    f"<base href=//evil.example><script src=x></script><script>{RUN}</script>",
    f"<object data=javascript:{RUN}></object>",
    f"' autofocus onfocus='{RUN}",
    f'" onmouseover="{RUN}" style="position:fixed;inset:0',
    f"${{{RUN}}}{{{{{RUN}}}}}",
    f"\u202e<script>{RUN}</script>\u0000\x1b[31m",
    f"&lt;script&gt;{RUN}&lt;/script&gt;",
]
HOSTILE = [cut + payload for cut, payload in islice(product(BREAKS, PAYLOADS), 200)]


@pytest.fixture(scope="module")
def pages(make, parts):
    """The page with every payload as scenario, incident, behaviour, app, category, peer, reason and factor."""
    assert len(set(HOSTILE)) == 200
    trials, told, strips = [], {}, []
    for place, text in enumerate(HOSTILE):
        reason = make.finding().reasons[0].__class__(text, text, text, 1.0, text)
        named = make.incident(incident=text, behaviour=text, package=text, peers=(text,))
        truth = make.truth(named, packages={("phone-01", text): (10101, text)})
        blamed = make.finding(device="phone-02", package=text, peer=text, reasons=(reason,))
        found = make.finding(package=text, peer=text, reasons=(reason,), alert=bool(place % 2))
        trials.append(make.trial(found, blamed, truth=truth, scenario=text, reason=text))
        told[text, 1, "full", "builtin", text] = parts.answer(text)
        if place % 20 == 0:
            strips.append(parts.strip(make, text, text))
    trials += [make.trial(scenario="s", detector=HOSTILE[place], view=HOSTILE[place + 1]) for place in range(0, 40, 4)]
    trials += [make.trial(scenario=text, view="no-sni", status="unsupported", reason=text) for text in HOSTILE[:20]]
    card = score(trials, suite=HOSTILE[0], seeds=1, budget=0.001).to_json()
    made = {"provenance": {text: text for text in HOSTILE[:20]}, "lacking": {text: [text] for text in HOSTILE[:20]}}
    return lambda: html.render(card, strips=strips, answers=told, **made)


def unguarded(page):
    """The page without its content security policy."""
    bare, many = re.subn(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)
    assert many == 1
    return bare


def unescaped(pages, monkeypatch):
    bare = html.environment().overlay(autoescape=False)
    monkeypatch.setattr(html, "environment", lambda: bare)
    return pages()


def ran(page):
    return page.evaluate("window.canary || 0")


def settle(page):
    """Waits until what was going to happen by itself has had two frames to do so."""
    page.wait_for_load_state("load")
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def open_all(page):
    """Opens every incident, so that the script has touched every text."""
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    page.wait_for_function("document.querySelectorAll('details.case .drill').length >= 200")
    page.wait_for_function("document.querySelectorAll('details.case .plot:not([data-drawn])').length === 0")


def test_none_runs_and_nothing_is_asked_for(pages, opened):
    with opened(pages()) as seen:
        open_all(seen.page)
        assert ran(seen.page) == 0
        assert seen.dialogs == seen.said == []
        assert seen.asked == [seen.page.url]
        text = seen.page.inner_text("#incidents")
        assert f"<img src=x onerror={RUN}>" in text  # readable, as the text that it is


def test_escaping_holds_without_the_policy(pages, opened):
    with opened(unguarded(pages())) as seen:
        open_all(seen.page)
        assert ran(seen.page) == 0
        assert seen.asked == [seen.page.url]


def test_the_policy_holds_without_escaping(pages, opened, monkeypatch):
    text = unescaped(pages, monkeypatch)
    # a refresh that a page is told is a navigation, which no policy speaks of: it is taken out here, escaping stops it
    with opened(re.sub(r"<meta http-equiv=refresh", "<meta name=x", text), scripted=False) as seen:
        settle(seen.page)
        assert ran(seen.page) == 0
        assert any("Content Security Policy" in line for line in seen.said)


def test_the_canary_sings_without_both(pages, opened, monkeypatch):
    """The negative control: the same page with autoescape off and no policy runs what it was given."""
    text = re.sub(r"<meta http-equiv=refresh", "<meta name=x", unguarded(unescaped(pages, monkeypatch)))
    with opened(text, scripted=False) as seen:
        seen.page.wait_for_function("window.canary > 0")
        assert ran(seen.page) > 0
