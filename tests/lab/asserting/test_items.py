"""The items of --droidrange-suite: what is found passes, what is missed fails by name, and nothing passes unjudged."""

import pytest

pytest_plugins = "pytester"
SUITE = ("--droidrange-suite", "specimen", "--droidrange-stage", "flows")


def of(*names, view="full"):
    return [*SUITE, "--droidrange-view", view, *(word for name in names for word in ("--droidrange-detector", name))]


def test_a_good_detector_passes_every_item(inner):
    found = inner(*of("good"))
    found.assert_outcomes(passed=2 + 6)  # the evidence, the budget, an incident for each phone and scenario
    assert found.ret == 0
    found.stdout.fnmatch_lines(["*PASSED droidrange:specimen::good::full::specimen-00-s1::phone-01/*/http-poll"])


def test_a_deaf_detector_fails_every_incident_by_name_with_its_command(inner):
    found = inner(*of("deaf"))
    found.assert_outcomes(passed=2, failed=6)
    assert found.ret == 1
    found.stdout.fnmatch_lines(
        [
            "*deaf::full::specimen-02-s1::*/http-poll*",
            "missed: nothing was said of it",
            "*droidrange run specimen-02 --seed 1 --stage flows --detector deaf --view full *",
        ]
    )


def test_a_loud_detector_fails_the_item_of_false_alarms_alone(inner):
    found = inner(*of("loud"))
    found.assert_outcomes(passed=7, failed=1)
    found.stdout.fnmatch_lines(["*FAILED droidrange:specimen::loud::full::false_alarms_per_device_day*"])
    found.stdout.fnmatch_lines(["*alarm phone-0?/com.example.news*", "*droidrange run specimen-00 *"])


def test_a_crashed_detector_is_an_error_never_a_failure_or_a_pass(inner):
    found = inner(*of("crashing"))
    counts = found.parseoutcomes()
    assert found.ret == 1
    assert (counts.get("errors"), counts.get("passed"), counts.get("failed")) == (8, None, None)
    found.stdout.fnmatch_lines(["*no evidence: 3 of 3 trials failed*", "*ZeroDivisionError: by 0*"])


def test_an_unsupported_detector_is_skipped_with_its_reason_and_is_no_pass(inner):
    found = inner(*of("absent"))
    found.assert_outcomes(skipped=7, errors=1)
    assert found.ret == 1
    found.stdout.fnmatch_lines(["*not one trial was scored*", "*unsupported: is not installed*"])


def test_a_view_that_shows_nothing_is_no_pass(inner):
    found = inner(*of("good", view="dns-only"))
    found.assert_outcomes(skipped=6, errors=1, passed=1)
    found.stdout.fnmatch_lines(["*this view shows none of the 6 incidents*"])


def test_several_detectors_and_a_control_have_items_each(inner):
    found = inner(*of("good", "silent"))
    found.assert_outcomes(passed=16)  # in this range silent is as good as the others


def test_thresholds_decide_instead_where_they_are_written_down(inner, pytester):
    lines = ["polling.recall{period<=1h} >= 0.9", "warn relay.recall >= 90%", "off recall >= 1"]
    pytester.path.joinpath("gate.toml").write_text(f"thresholds = {lines}\n")
    found = inner(*of("deaf"), "--droidrange-config", "gate.toml")
    found.assert_outcomes(passed=1, failed=1, xfailed=1 + 6, skipped=1)
    found.stdout.fnmatch_lines(["*measured 0 %*n = 3 incidents; limit 90 %*", "*droidrange run specimen-00 *"])
    pytester.path.joinpath("gate.toml").write_text('thresholds = ["recall{period>1d} >= 0.9"]\n')
    inner(*of("good"), "--droidrange-config", "gate.toml").assert_outcomes(passed=7, errors=1)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--droidrange-suite", "nowhere"], "unknown scenario 'nowhere'"),
        ([*SUITE, "--droidrange-config", "none.toml"], "none.toml"),
        ([*SUITE, "--droidrange-seeds", "0"], "seeds: found 0"),
        ([*SUITE, "--droidrange-learn", "soon"], "learn: "),
        ([*SUITE, "-k", "nothing_is_called_so"], "leaves nothing of --droidrange-suite"),
        ([*SUITE, "-m", "not droidrange"], "leaves nothing of --droidrange-suite"),
    ],
)
def test_what_is_misspelt_or_matches_nothing_is_a_usage_error(inner, options, said):
    found = inner(*options, test="def test_another(): pass")
    assert found.ret == pytest.ExitCode.USAGE_ERROR
    assert said in "\n".join(found.outlines + found.errlines)


def test_some_of_the_items_can_be_chosen(inner):
    inner(*of("good"), "-m", "droidrange", "-k", "specimen-01", test="def test_another(): pass").assert_outcomes(
        passed=2, deselected=7
    )


def test_two_workers_play_once_and_agree(inner):
    test = "def test_card(scorecard):\n    assert scorecard('specimen', 'deaf').recall() == 0\n"
    found = inner(*of("deaf"), test=test, workers=2)
    found.assert_outcomes(passed=3, failed=6)
    assert inner.played() == ["specimen deaf"]


def test_two_workers_that_are_left_nothing_do_not_pass(inner):
    found = inner(*of("good"), "-k", "test_another", test="def test_another(): pass", workers=2)
    assert found.ret not in (0, 5)
