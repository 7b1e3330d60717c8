"""The report in a real browser: it draws, opens by keyboard, asks nobody for anything, fits a phone, and prints."""

import pytest

OPENED = "details.case[open]"


def drawn(page, name):
    return page.wait_for_selector(f"[data-drawn={name}] svg")


def overflow(page):
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


def test_every_plot_is_drawn_in_silence_and_without_a_request(report, opened):
    with opened(report) as seen:
        for name in ("curve", "rivals", "boundary"):
            assert drawn(seen.page, name).bounding_box()["width"] > 200
        seen.page.focus("details.case > summary")
        seen.page.keyboard.press("Enter")
        for name in ("timing", "sizes", "factors"):
            drawn(seen.page, name)
        assert seen.said == []
        assert seen.asked == [seen.page.url]


def test_a_plot_has_marks_where_the_numbers_are(report, opened):
    with opened(report) as seen:
        drawn(seen.page, "boundary")
        told = seen.page.locator("[data-drawn=boundary] svg text").all_text_contents()
        assert {"4/4", "0/4", "1 h", "30 s", "jitter", "period"} <= set(told)
        colours = {one.get_attribute("stroke") for one in seen.page.locator("[data-drawn=curve] svg path").all()}
        assert "var(--series-0)" in colours


def test_an_incident_is_opened_read_and_searched_by_keyboard(report, opened):
    with opened(report) as seen:
        page = seen.page
        page.focus("#filter-verdict")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
        page.keyboard.press("Enter")
        drawn(page, "factors")
        text = page.inner_text(OPENED)
        assert "What would have fired: regular 0.9 instead of 0.5" in text
        assert "scored 0.3, below 0.6" in text
        page.focus(f"{OPENED} .numbers summary")
        page.keyboard.press("Enter")
        assert "2026-03-02 00:00" in page.inner_text(f"{OPENED} .numbers[open]")
        page.focus(f"{OPENED} select")
        page.keyboard.press("ArrowDown")
        page.wait_for_function(
            "document.querySelector('details.case[open] [aria-live]').textContent.includes('detected')"
        )
        page.focus("#filter-text")
        page.keyboard.type("polling-other")
        assert page.inner_text("#filter-count") == "1 of 2 shown"


def test_another_view_shows_its_own_detectors(report, opened):
    with opened(report) as seen:
        drawn(seen.page, "rivals")
        seen.page.select_option("#view", "no-sni")
        frame = seen.page.wait_for_selector("#sides [role=img][aria-label*='1 detectors']")
        assert "AN1793" in frame.get_attribute("aria-label")


def test_every_plot_has_a_name_and_every_control_a_label(report, opened):
    with opened(report) as seen:
        seen.page.click("details.case > summary")
        drawn(seen.page, "factors")
        nameless = """[...document.querySelectorAll('[role=img], [role=region], select, input')].filter((one) =>
            !one.getAttribute('aria-label') && !(one.labels && one.labels.length)).length"""
        assert seen.page.evaluate(nameless) == 0
        plots = seen.page.evaluate("document.querySelectorAll('.plot[role=img]').length")
        assert plots >= 6
        assert seen.page.evaluate("document.querySelectorAll('.plot svg [tabindex]').length") == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_it_without_scrolling_sideways(report, opened, scheme):
    with opened(report, viewport={"width": 390, "height": 800}, color_scheme=scheme, is_mobile=True) as seen:
        drawn(seen.page, "boundary")
        assert overflow(seen.page) <= 0
        seen.page.click("details.case > summary")
        drawn(seen.page, "factors")
        assert overflow(seen.page) <= 0
        widths = "[...document.querySelectorAll('.plot svg')].map((one) => one.getBoundingClientRect().right)"
        assert max(seen.page.evaluate(widths)) <= 390


def test_dark_is_dark_in_the_plots_too(report, opened):
    def ink(scheme):
        with opened(report, color_scheme=scheme) as seen:
            drawn(seen.page, "curve")
            style = "getComputedStyle(document.querySelector('[data-drawn=curve] svg text')).fill"
            return seen.page.evaluate(style), seen.page.evaluate("getComputedStyle(document.body).backgroundColor")

    light, dark = ink("light"), ink("dark")
    assert light[0] != dark[0]
    assert light[1] != dark[1]


def test_it_prints(report, opened):
    with opened(report) as seen:
        drawn(seen.page, "curve")
        seen.page.emulate_media(media="print")
        assert not seen.page.is_visible("nav")
        assert seen.page.is_visible("#scoreboard table")
        content = seen.page.pdf(format="A4", print_background=True)
        assert content.startswith(b"%PDF")
        assert content.count(b"/Type /Page\n") >= 2


def test_without_scripts_the_numbers_are_all_there(report, opened):
    with opened(report, java_script_enabled=False) as seen:
        text = seen.page.inner_text("body")
        for words in ("1 of 2 incidents", "All detectors side by side", "polling-other", "feed.example", "4/4"):
            assert words in text
        assert not seen.page.is_visible("#filter")
        assert seen.said == []
