"""The page: it says what the scorecard says, and nothing that came from a packet becomes markup."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest

from lab.report import html
from lab.report.strips import Strip
from lab.score import score

PAYLOADS = [
    "<script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</style><img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)',
    "' autofocus onfocus='alert(1)",
    "javascript:alert(1)",
    "<svg/onload=alert(1)>",
    "<a href=javascript:alert(1)>x</a>",
    "--><iframe srcdoc='<b>'>",
    "]]><x:script xmlns:x='http://www.w3.org/1999/xhtml'>alert(1)</x:script>",
    "{{ 7 * 7 }}{% raw %}",
    "&lt;script&gt;",
    "a\u202egnp.exe\x1b[31m\x00",
    "<base href=//evil.example>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
]
# every element and attribute the template itself uses; a payload that lives adds one
ELEMENTS = {
    "html",
    "head",
    "meta",
    "title",
    "style",
    "body",
    "header",
    "h1",
    "h2",
    "h3",
    "p",
    "main",
    "section",
    "div",
    "article",
    "dl",
    "dt",
    "dd",
    "small",
    "span",
    "table",
    "caption",
    "thead",
    "tbody",
    "tfoot",
    "tr",
    "th",
    "td",
    "bdi",
    "br",
    "details",
    "summary",
    "ul",
    "li",
    "script",
    "nav",
    "a",
    "label",
    "input",
    "select",
    "option",
    "code",
}
ATTRIBUTES = {
    "lang",
    "charset",
    "http-equiv",
    "content",
    "name",
    "class",
    "title",
    "open",
    "colspan",
    "role",
    "aria-label",
    "aria-hidden",
    "id",
    "type",
    "href",
    "for",
    "scope",
    "tabindex",
    "hidden",
    "autocomplete",
    "value",
    "rowspan",
    "data-case",
    "data-verdicts",
    "data-boundary",
    "data-label",
}
SCRIPTS = {
    '<script type="application/json" id="data">{{ data|tojson }}</script>',
    '<script type="application/json" id="plots">{% include "plots.json" %}</script>',
    '<script>{% include "vendor/vega-embed.js" %}</script>',
    '<script>{% include "report.js" %}</script>',
}
BETWEEN = re.compile(r"(<script[^>]*>)(.*?)(</script>)", re.DOTALL)


class Inventory(HTMLParser):
    def __init__(self):
        super().__init__()
        self.elements, self.attributes, self.text, self.links = [], set(), "", []

    def handle_starttag(self, tag, attrs):
        self.links += [value for name, value in attrs if name == "href"]
        self.elements.append(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data):
        self.text += data


def inventory(page):
    """What a parser makes of the page; what stands in scripts is no markup, and is left out."""
    seen = Inventory()
    seen.feed(BETWEEN.sub(r"\1\3", page))
    return seen


def data_of(page):
    """What the script is given."""
    (text,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    return json.loads(text)


def hostile_card(make, text):
    reason = [make.finding().reasons[0].__class__(text, text, text, 1.0, text)]
    shape = {"reasons": tuple(reason), "severity": text}
    innocent = make.finding(device=text, package=text, peer=text, detector=text, **shape)
    hit = make.finding(package=None, **shape)
    named = make.incident(incident=text, behaviour=text, package=text)
    truth = make.truth(named, packages={("phone-01", text): (1, text)})
    scored = make.trial(innocent, hit, truth=truth, scenario=text, detector=text, view=text)
    dead = make.trial(status="failed", reason=text, scenario=text + "2", detector=text, view=text)
    refused = make.trial(status="unsupported", reason=text, scenario=text, detector=text, view=text + "v")
    twin = make.trial(innocent, truth=make.truth(twin_of=text), scenario=text + "3", detector=text, view=text)
    return score([scored, dead, refused, twin], suite=text, seeds=1, budget=0.001).to_json()


def hostile_page(make, text):
    strip = Strip(text, 1, text, make.START, 24 * make.HOUR, [(make.START, make.START + make.HOUR)], [])
    card = hostile_card(make, text)
    return html.render(card, provenance={text: text}, strips=[strip])


@pytest.fixture(scope="module")
def page(make):
    wrong = make.finding(package="com.example.news", peer="feed.example", score=0.7)
    card = score(
        [
            make.trial(make.finding(), wrong),
            make.trial(detector="silent"),
            make.trial(view="netflow", status="unsupported", reason="no table 'exchanges'"),
        ],
        suite="core",
        seeds=1,
        budget=0.001,
    ).to_json()
    strip = Strip(
        "polling-plain",
        1,
        "phone-01/com.example.torch/http-poll",
        make.START,
        24 * make.HOUR,
        [(make.START + hour * make.HOUR, make.START + hour * make.HOUR + 1) for hour in range(24)],
        [(make.START, make.START + 7 * make.HOUR)],
    )
    return html.render(card, provenance={"droidrange": "0.1.0"}, strips=[strip])


def test_the_page_says_what_was_measured(page):
    text = " ".join(inventory(page).text.split())
    for words in (
        "1 of 1 incidents; 95 % interval 21 to 100 %",
        "1 in 2 device-days; 95 % interval 0.0127 to 2.79",
        "over the budget of 0.001",
        "contacts come every 300 s",
        "com.example.news",
        "cannot run",
        "no table 'exchanges'",
        "It never says \u201cdetects C2\u201d",
        "\u00a9 2026 The MITRE Corporation",
        "reproduced and distributed with the permission of The MITRE Corporation",
    ):
        assert words in text


def test_the_page_is_made_of_known_elements_only(page):
    seen = inventory(page)
    assert set(seen.elements) <= ELEMENTS
    assert seen.attributes <= ATTRIBUTES
    assert set(seen.links) <= {f"#{name}" for name in re.findall(r'id="([a-z-]+)"', page)}


def test_the_script_is_given_the_incident_and_its_strip(page):
    data = data_of(page)
    (one,) = data["cases"]
    assert data["texts"][one["incident"]] == "phone-01/com.example.torch/http-poll"
    assert (one["said"], one["lanes"][0][:4], one["lanes"][2]) == (24, [0, 1, 40, 1], [0, 280])
    assert data["detectors"] == ["builtin", "silent"]
    assert data["sides"][0]["curve"] == [[1.0, 1.0]]


def test_the_policy_allows_exactly_the_style_and_scripts_that_are_there(page):
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    sums = [base64.b64encode(hashlib.sha256(one.encode()).digest()).decode() for one in (*scripts, style)]
    first, second, look = (f"'sha256-{one}'" for one in sums)
    assert f"default-src 'none'; script-src {first} {second}; style-src {look}; img-src data:" in page
    assert page.count("<script") == 4  # the other two are data, which no browser runs
    assert page.count('<script type="application/json"') == 2


def test_nothing_is_loaded_and_nothing_is_linked(page):
    assert not re.search(r"""url\(|@import|href="[^#]|src=|https?://|style=""", BETWEEN.sub("", page))


def test_our_script_makes_texts_only():
    source = (html.FOLDER / "report.js").read_text()
    risky = r"innerHTML|outerHTML|insertAdjacent|document\.write|DOMParser|eval|Function\(|fetch|XMLHttp|import\(|\.href|src"
    assert not re.search(risky, source)
    assert not re.search(r"</script|<!--", source + (html.FOLDER / html.SCRIPTS[0]).read_text())


def test_the_vendored_script_is_the_one_that_is_named():
    content = (html.FOLDER / html.SCRIPTS[0]).read_bytes()
    assert hashlib.sha256(content).hexdigest() in (html.FOLDER / "vendor" / "README.md").read_text()


def test_same_scorecard_same_bytes(make):
    assert hostile_page(make, "x") == hostile_page(make, "x")


@pytest.mark.parametrize("text", PAYLOADS)
def test_hostile_names_never_become_markup(make, text):
    seen = inventory(hostile_page(make, text))
    calm = inventory(hostile_page(make, "calm"))
    assert seen.elements == calm.elements
    assert seen.attributes == calm.attributes
    assert seen.links == calm.links
    assert "\u202e" not in seen.text + json.dumps(data_of(hostile_page(make, text)), ensure_ascii=False)
    assert not re.search("[\x00-\x08\x0b-\x1f]", seen.text)


def test_hostile_names_stay_readable(make):
    assert "<script>alert(1)</script>" in inventory(hostile_page(make, "<script>alert(1)</script>")).text


@pytest.mark.parametrize("text", [text for text in PAYLOADS if "<" in text])
def test_the_payloads_live_without_escaping(make, text, monkeypatch):
    """The negative control: the same page with autoescape off is broken by every payload that opens an element."""
    calm = inventory(hostile_page(make, "calm")).elements
    bare = html.environment().overlay(autoescape=False)
    monkeypatch.setattr(html, "environment", lambda: bare)
    seen = inventory(hostile_page(make, text))
    assert seen.elements != calm


def test_the_template_has_no_way_out_of_escaping():
    for path in html.FOLDER.glob("*.jinja"):
        source = path.read_text()
        assert not re.search(r"""\|\s*safe|autoescape\s+false|Markup|href="[^#]|src=|style=""", source)
        assert {*re.findall(r"<script.*", source)} <= SCRIPTS
        assert not re.search(r"=\{\{", source), "an unquoted attribute stays injectable"


def test_a_run_without_a_score_says_so(make):
    empty = score([], suite="core", seeds=1, budget=0.001).to_json()
    assert "nothing was scored" in html.render(empty)
    failed = score([make.trial(status="failed", reason="boom")], suite="core", seeds=1, budget=0.001).to_json()
    page = html.render(failed)
    assert "1 of 1 trials failed" in page
    assert "Nothing was scored under view full" in page


def test_nothing_found_in_few_days_shows_no_budget(make):
    def words(trial, budget):
        return html.render(score([trial], suite="core", seeds=1, budget=budget).to_json())

    assert "too few device-days to show it" in words(make.trial(), 0.001)
    assert "within the budget of 10: shown" in words(make.trial(), 10.0)
    assert "budget: nothing measured" in words(make.trial(truth=make.truth(span=0)), 0.001)


def test_what_cannot_be_judged_has_no_numbers(make):
    def page(**changes):
        return html.render(score([make.trial(make.finding(), **changes)], suite="c", seeds=1, budget=0.001).to_json())

    assert page().count("cannot judge") == 0
    assert page(judged=("AN1793",)).count("cannot judge") == 2  # on the card, and in the table of all


def test_twins_that_the_inventory_tells_apart_are_named(make):
    def page(vouched):
        app = ("phone-01", "com.example.vpn")
        calm = make.truth(twin_of="polling-plain", packages={app: (1, "tools")}, vouched={app: vouched})
        trials = [make.trial(make.finding()), make.trial(scenario="sync", truth=calm)]
        return html.render(score(trials, suite="c", seeds=1, budget=0.001).to_json())

    assert "sync; inventory: role vpn" in page(("role vpn",))
    assert "* told apart by inventory" in page(("role vpn",))
    assert "inventory" not in page(())


def test_a_suite_that_a_control_masters_is_said_to_be_too_easy(make):
    def shown(*trials):
        return html.render(score(trials, suite="core", seeds=1, budget=0.001).to_json())

    blind = make.trial(make.finding(score=0.9, detector="rarity-only"), detector="rarity-only")
    assert "rarity-only has AP 1, builtin as the best detector 0" in shown(blind, make.trial())
    assert "too easy" not in shown(make.trial(make.finding()), make.trial(detector="rarity-only"))
