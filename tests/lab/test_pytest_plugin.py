"""The plugin itself: it costs nothing unasked, its fixtures explain a failure, and no evidence is an error."""

import pytest

pytest_plugins = "pytester"


@pytest.fixture
def alone(pytester, request):
    """``alone(test)``: what pytest says of that test, in a process of its own."""
    plugin = [] if request.config.pluginmanager.hasplugin("droidrange") else ["-p", "lab.pytest_plugin"]

    def run(test, *options):
        pytester.makepyfile(test)
        return pytester.runpytest_subprocess("-p", "no:hypothesispytest", "-p", "no:xdist", *plugin, *options)

    return run


def test_nothing_of_ours_is_imported_unasked(alone):
    found = alone(
        """
        import sys

        def test_bare():
            heavy = ("numpy", "pyarrow", "pydantic", "typer")
            assert [n for n in sys.modules if n in heavy or n.startswith(("lab.", "detector"))] == ["lab.pytest_plugin"]
        """
    )
    found.assert_outcomes(passed=1)


def test_it_is_an_entry_point_of_pytest():
    from importlib.metadata import distribution

    names = {(one.group, one.name): one.value for one in distribution("droidrange").entry_points}
    assert names["pytest11", "droidrange"] == "lab.pytest_plugin"


@pytest.mark.whole
def test_a_recording_and_a_scorecard_of_a_real_scenario(alone):
    found = alone(
        """
        import pytest

        def test_recording(recording):
            played = recording("smoke-poll", seed=1, stage="flows")
            assert recording("smoke-poll", stage="flows").folder == played.folder
            assert [one.behaviour for one in played.truth().incidents] == ["http-poll"]
            assert "flows.parquet" in {path.name for path in played.telemetry.iterdir()}

        def test_found(scorecard):
            card = scorecard("smoke-poll", stage="flows")
            assert card.recall("AN1793", period_max="15m") >= 0.9
            assert card.time_to_detect("polling", percentile=50) <= "8h"
            with pytest.raises(Exception, match="no incident of it was judged"):
                assert card.recall("AN1702") >= 0

        def test_silent(scorecard):
            assert scorecard("smoke-poll", "silent", stage="flows").recall("AN1793") >= 0.9

        def test_suite(recording):
            recording("smoke", stage="flows")
        """
    )
    found.assert_outcomes(passed=2, failed=1, errors=1)
    found.stdout.fnmatch_lines(
        ["*AN1793.recall >= 0.9 ?silent, full?*", "*measured 0 %*", "*missed phone-*", "*droidrange run smoke-poll *"]
    )
