"""Counts as Suricata counts them: held against Suricata itself, count after count."""

from __future__ import annotations

from pathlib import Path

import pytest

from detector.suricata.counted import Window, reached, uncounted, window
from detector.suricata.engine import look
from detector.suricata.rules import parsed

US = 1_000_000
KINDS = ("threshold: type both", "threshold: type threshold", "detection_filter:")
TEXT = 'alert tcp any any -> any 443 (msg:"d"; flags:S; {}, track {}, count {}, seconds {}; sid:1;)'


def rule(kind, track, count, seconds):
    text = TEXT.format(kind, track, count, seconds).replace("detection_filter:, ", "detection_filter:")
    return parsed(Path("x.rules"), 1, text)


def test_what_counts_and_what_does_not():
    assert window(rule(KINDS[0], "by_src", 5, 60)) == Window("by_src", 60, 5, beyond=False)
    assert window(rule(KINDS[2], "by_both", 5, 60)) == Window("by_both", 60, 5, beyond=True)
    limit = rule("threshold: type limit", "by_src", 5, 60)
    assert window(limit) is None
    assert uncounted([limit]) == [limit]
    (plain,) = uncounted([rule(KINDS[0], "by_src", 5, 60)])
    assert window(plain) is None
    assert plain.sid == 1
    assert "threshold" not in plain.text


def test_keys():
    said = {
        track: Window(track, 1, 1, beyond=False).keyed("b", "a", 7)
        for track in ("by_src", "by_dst", "by_both", "by_rule", "by_flow")
    }
    assert said == {"by_src": "b", "by_dst": "a", "by_both": ("a", "b"), "by_rule": None, "by_flow": 7}


@pytest.mark.tools
@pytest.mark.parametrize(
    ("kind", "track", "seconds"),
    [
        (KINDS[0], "by_both", 1200),
        (KINDS[1], "by_src", 600),
        (KINDS[1], "by_dst", 1200),
        (KINDS[2], "by_src", 600),  # which has no by_both
    ],
)
def test_the_first_alert_comes_with_the_count_that_we_count(engine, telemetry, kind, track, seconds):
    """At every count, real Suricata alerts exactly on the trackers whose highest count here reaches it."""
    asked = rule(kind, track, 2, seconds)
    counting = window(asked)
    matches = look(uncounted([asked]), telemetry, whole=True)
    keyed = [(one.time, counting.keyed(one.source, one.target, one.flow)) for one in matches]
    best: dict = {}
    for (_, key), count in zip(keyed, reached(counting, keyed), strict=True):
        best[key] = max(best.get(key, 0), count)
    assert max(best.values()) > 2
    for count in range(1, max(best.values()) + 2):
        alerts = look([asked.counting(count)], telemetry, whole=True)
        expected = {key for key, most in best.items() if most >= count}
        assert {counting.keyed(one.source, one.target, one.flow) for one in alerts} == expected, count
