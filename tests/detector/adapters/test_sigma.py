"""The adapter of Sigma rules: what it judges, its knobs, and the examples on flows made by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("sigma.collection", reason="the extra sigma is not installed")

from detector.contract import Origin, Telemetry, Unsupported, detector

EXAMPLES = Path(__file__).parents[3] / "examples" / "sigma"
ORIGIN = Origin("made up", "2027-01-02", (1, 2), 0.5, 2000.0)


@pytest.fixture(scope="module")
def both():
    return detector(f"sigma:{EXAMPLES}")


def relaying(made, *, foreground):
    made.add("device_state", time=0, device="phone-01", foreground_uid=7 if foreground else None)
    for number in range(12):
        made.flow(100 + number * 60, uid=7, package="p", server=f"198.18.1.{number}")
    return made.telemetry()


def test_fan_out_is_found_in_the_background_alone(both, made):
    (one,) = both.detect(relaying(made, foreground=False))
    assert (one.analytic, one.device, one.uid, one.package, one.peer, one.alert) == (
        "AN1702",
        "phone-01",
        7,
        "p",
        None,
        True,
    )
    assert both.deciding(one) == 12
    assert one.decided_at == 520_000_000


def test_an_app_that_is_looked_at_goes_where_it_likes(both, made):
    assert list(both.detect(relaying(made, foreground=True))) == []


def test_text_records_are_counted(both, made):
    for number in range(25):
        made.lookup(1000 + number * 300, f"a{number}.c2.example", qtype="TXT")
    (one,) = both.detect(made.telemetry())
    assert (one.analytic, one.alert, both.deciding(one)) == ("AN1793", True, 25)
    assert one.decided_at == (1000 + 19 * 300) * 1_000_000


def test_it_judges_what_it_has_the_tables_for(both, made):
    assert both.judges(relaying(made, foreground=True)) == ("AN1702",)
    made.lookup(1, "a.example")
    assert both.judges(made.telemetry()) == ("AN1793", "AN1702")
    assert both.judges(Telemetry({}, (0, 1))) == ()
    with pytest.raises(Unsupported, match="reads device_state, dns, flows"):
        list(both.detect(Telemetry({}, (0, 1))))


def test_each_analytic_with_one_counting_rule_has_a_knob(both):
    assert {(knob.name, knob.analytic, knob.value) for knob in both.knobs} == {
        ("dns-txt-polling", "AN1793", 20.0),
        ("fan-out", "AN1702", 8.0),
    }
    made = both.tuned({"fan-out": 7.5}, ORIGIN)
    assert made.spelled() == f"sigma:{EXAMPLES}?fan-out=7.5"
    with pytest.raises(LookupError, match="unknown knob volume"):
        both.tuned({"volume": 3.0}, ORIGIN)


@pytest.mark.parametrize(
    ("argument", "fault"),
    [
        ("", "found no path, expected sigma:PATH"),
        ("none.yml", "not found, expected a Sigma rule"),
        (f"{EXAMPLES}?volume=3", "found 'volume' after"),
        (f"{EXAMPLES}?fan-out=0", "found fan-out=0, expected 1 to"),
    ],
)
def test_a_wrong_argument_says_what_was_expected(argument, fault):
    with pytest.raises(LookupError, match=fault):
        detector(f"sigma:{argument}")
