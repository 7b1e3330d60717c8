"""Lines of text that are thresholds, and lines that are refused because they could not fail, or not hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.gate.grammar import LEVELS, METRICS, Filter, parse


@pytest.mark.parametrize(
    ("line", "metric", "analytic", "limit"),
    [
        ("polling.recall{period<=15m} >= 0.9", "recall", "AN1793", 0.9),
        ("false_alarms_per_device_day <= 0.001", "false_alarms_per_device_day", None, 0.001),
        ("time_to_detect_p90 <= 2h", "time_to_detect_p90", None, 7200.0),
        ("AN1702.recall >= 90%", "recall", "AN1702", 0.9),
        ("contacts_to_detect_p50 <= 12", "contacts_to_detect_p50", None, 12.0),
        ("relay.pr_auc > controls", "pr_auc", "AN1702", "controls"),
        ("false_alarms_per_device_day <= budget", "false_alarms_per_device_day", None, "budget"),
    ],
)
def test_the_lines_of_the_issue(line, metric, analytic, limit):
    found = parse(line)
    assert (found.metric.name, found.analytic, found.limit, found.kind) == (metric, analytic, limit, "absolute")
    assert (found.level, found.patch, found.text) == ("error", False, line)


def test_level_patch_and_kinds():
    assert parse("warn patch polling.recall >= 0.8").patch
    assert parse("off recall >= 0.8").level == "off"
    assert parse("polling.recall no-regression").kind == "no-regression"
    assert parse("  relay.recall   no-loss ").text == "relay.recall no-loss"


def test_filters():
    line = 'recall{period<=15m, jitter>0.1, view=full|no-app, detector="elastic:jitter=0.4,gate", tls!=true} >= 0.5'
    assert parse(line).filters == (
        Filter("period", "<=", (900.0,)),
        Filter("jitter", ">", (0.1,)),
        Filter("view", "=", ("full", "no-app")),
        Filter("detector", "=", ("elastic:jitter=0.4,gate",)),
        Filter("tls", "!=", ("true",)),
    )


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "expected such as"),
        ("recall", "expected such as"),
        ("recall = 0.9", "expected such as"),
        ("recal >= 0.9", "did you mean 'recall'"),
        ("accuracy >= 0.9", "known are recall"),
        ("poling.recall >= 0.9", "did you mean 'polling'"),
        ("recall <= 0.9", "more is better"),
        ("false_alarms >= 1", "less is better"),
        ("recall >= 90", "nothing can meet it"),
        ("recall > 1", "nothing can meet it"),
        ("recall >= 0", "everything meets it"),
        ("recall >= -1", "nothing can meet it"),
        ("false_alarms < 0", "nothing can meet it"),
        ("recall >= nan", "expected a number"),
        ("false_alarms <= inf", "expected a number"),
        ("recall >= 1e999", "expected a number"),
        ("recall >= 5m", "this is no time"),
        ("time_to_detect_p90 <= 7200", "expected a duration"),
        ("recall >= budget", "which is false alarms"),
        ("pr_auc >= 0.5", "one analytic's"),
        ("polling.pr_auc{period<=5m} >= 0.5", "cannot be filtered by period"),
        ("false_alarms{behaviour=http-poll} <= 1", "cannot be filtered by behaviour"),
        ("recall{period} >= 0.5", "expected such as 'period<=15m'"),
        ("recall{period<=5m,} >= 0.5", "expected such as"),
        ("recall{view<=full} >= 0.5", "compares one number"),
        ("recall{period<=5m|6m} >= 0.5", "compares one number"),
        ("device_days no-regression", "can be demanded only"),
        ("patch recall no-regression", "no counterpart"),
        ("polling.pr_auc no-regression", "no pairs"),
        ("patch polling.pr_auc >= 0.5", "one analytic's"),
        ("time_to_detect_p0 <= 2h", "unknown metric"),
    ],
)
def test_what_is_no_threshold_is_refused(line, said):
    with pytest.raises(ValueError, match=said):
        parse(line)


@given(st.text(max_size=60))
def test_any_text_is_a_threshold_or_a_fault(text):
    try:
        found = parse(text)
    except ValueError:
        return
    assert found.level in LEVELS


@given(
    level=st.sampled_from(["", "warn ", "error ", "off "]),
    metric=st.sampled_from(["recall", "recall_of_all"]),
    filters=st.lists(st.sampled_from(["period<=15m", "view=full", "behaviour!=dns-poll", "seed=1|2"]), max_size=4),
    limit=st.floats(0.001, 1.0),
)
def test_a_line_reads_back_as_itself(level, metric, filters, limit):
    line = f"{level}{metric}{{{', '.join(filters)}}} >= {limit}"
    found = parse(line)
    assert parse(found.text) == found
    assert (found.limit, len(found.filters)) == (limit, len(filters))


def test_a_quantile_is_a_share():
    assert parse("time_to_detect_p75 <= 2h").metric.quantile == 0.75


def test_known_metrics_are_said():
    assert "time_to_detect_p90" in METRICS
