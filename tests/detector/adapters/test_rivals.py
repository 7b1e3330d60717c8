"""The rivals as detectors: what each alerts on, where it can run, and that it decides on no more than it has seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow.compute as pc
import pytest

from detector.contract import Telemetry, Unsupported, detector, view
from detector.views import VIEWS

POLLING = ("rita", "rita:modifiers", "elastic", "elastic:jitter=0.4", "sentinel", "baywatch")
RELAY = ("zhang-paxson", "symmetry-only")
APP = {"uid": 10_001, "package": "com.example.torch"}
DAY = 86_400


def poll(made, *, days=2, period=60.0, begin=0.0, **values):
    """A poller of one size, day and night, beside an app that does as it likes."""
    made.span_s = days * DAY
    named = {"name": "c2.example", "sni": "c2.example", "name_from": "sni", "app_proto": "tls", **APP}
    made.polls(np.arange(begin, days * DAY, period), **named, **values)


def relay(made, *, begin=0.0):
    """A tunnel and a flow for each stream, 20 ms later, with as much in as out."""
    made.span_s = 7200
    tunnel = made.flow(begin, lasts_s=3500, server="198.18.9.9", up=0, down=0, **APP)
    for time in begin + 20.0 * np.arange(1, 150):
        made.exchange(tunnel, time, up=3000, down=400, delay_s=0.01)
        flow = made.flow(time + 0.02, up=400, down=3000, **APP)
        made.exchange(flow, time + 0.02, 400, 3000, delay_s=0.1)


def alerts(name, telemetry):
    return [one for one in detector(name).detect(telemetry) if one.alert]


@pytest.mark.parametrize("name", POLLING)
def test_a_clock_of_one_size_alerts_every_rival_of_polling(made, name):
    poll(made)
    (one,) = alerts(name, made.telemetry())
    assert (one.analytic, one.device, one.detector) == ("AN1793", "phone-01", name)
    by_process = name.startswith("elastic")
    assert (one.uid, one.package) == ((10_001, "com.example.torch") if by_process else (None, None))
    assert one.peer == ("198.18.0.9" if name == "sentinel" else "c2.example")
    assert 0 < one.score <= 1
    assert one.reasons


@pytest.mark.parametrize("name", POLLING)
def test_no_rival_of_polling_alerts_on_a_handful_of_chances(made, rng, name):
    made.polls(np.sort(rng.uniform(0, 4 * 3600, 12)), up=int(rng.integers(300, 900)), **APP)
    for row in made.rows["flows"]:
        row |= {"bytes_up": int(rng.integers(200, 9000)), "bytes_down": int(rng.integers(200, 90_000))}
    assert alerts(name, made.telemetry()) == []


@pytest.mark.parametrize("name", RELAY)
def test_a_bridge_alerts_the_rivals_of_relaying(made, name):
    relay(made)
    made.polls(np.arange(0, 3600, 60.0), uid=10_002, package="com.example.honest", down=50_000)
    (one,) = alerts(name, made.telemetry())
    assert (one.analytic, one.package, one.peer) == ("AN1702", "com.example.torch", None)
    assert one.decided_at == 1_800_000_000


def until(telemetry: Telemetry, time: int) -> Telemetry:
    """What a sensor had at that time: flows and exchanges that began, as far as they went."""
    tables = {name: table.filter(pc.less_equal(table["start"], time)) for name, table in telemetry.tables.items()}
    return replace(telemetry, tables=tables, span=(telemetry.span[0], time))


@pytest.mark.parametrize("name", [*POLLING, *RELAY])
def test_it_decides_on_nothing_that_it_has_not_seen(made, name):
    """Cut where it says that it decided, it says so still; cut after its first contact, it has nothing to say."""
    relay(made) if name in RELAY else poll(made, begin=5 * 3600.0)
    whole = made.telemetry()
    (one,) = alerts(name, whole)
    assert one.decided_at <= whole.span[1]
    (again,) = alerts(name, until(whole, one.decided_at))
    assert again.decided_at == one.decided_at
    earlier = alerts(name, until(whole, one.first_seen + 1_000_000))
    assert earlier == []


@pytest.mark.parametrize("name", [*POLLING, *RELAY])
@pytest.mark.parametrize("sensor", [*VIEWS])
def test_it_judges_where_it_can_and_is_unsupported_elsewhere(made, name, sensor):
    poll(made, days=1, period=600.0)
    made.exchange(0, 1.0, 300, 300)
    made.lookup(5.0, "a.example")
    narrowed = view(sensor)(made.telemetry())
    analytic = "AN1702" if name in RELAY else "AN1793"
    flows = "flows" in narrowed
    able = {
        "elastic": flows and sensor not in ("no-app", "netflow", "sampled-1in100"),
        "zhang-paxson": flows and "exchanges" in narrowed,
        "rita:modifiers": True,
    }.get(name.partition("=")[0].removesuffix(":jitter"), flows)
    one = detector(name)
    assert one.judges(narrowed) == ((analytic,) if able else ())
    if able:
        assert {found.analytic for found in one.detect(narrowed)} <= {analytic}
    if not flows and not able:
        with pytest.raises(Unsupported):
            list(one.detect(narrowed))


@pytest.mark.parametrize("name", [*POLLING, *RELAY])
def test_without_any_table_it_is_unsupported(name):
    with pytest.raises(Unsupported):
        list(detector(name).detect(Telemetry({}, span=(0, 1))))


@pytest.mark.parametrize(
    "name",
    ["rita:x", "sentinel:x", "baywatch:x", "zhang-paxson:x", "symmetry-only:x"]
    + [
        f"elastic:{argument}"
        for argument in ("x", "jitter", "jitter=", "jitter=1", "jitter=-0.1", "jitter=nan", "shift=0.1")
    ],
)
def test_a_wrong_argument_is_refused_in_one_line(name):
    with pytest.raises(LookupError, match=r"found .*expected") as fault:
        detector(name)
    assert "\n" not in str(fault.value)


def test_modifiers_find_a_tunnel_in_look_ups_where_there_are_no_flows(made):
    for k in range(900):
        made.lookup(60.0 * k, f"{k:040x}.zone.example", qtype="TXT")
    narrowed = view("dns-only")(made.telemetry())
    (one,) = alerts("rita:modifiers", narrowed)
    assert one.peer == "zone.example"
    assert {reason.feature: reason.value for reason in one.reasons}["no_direct_connection"] is None


def test_elastic_does_not_see_a_poll_inside_an_app_that_does_other_things(made, rng):
    """Its blind spot: a process is one series. Control: the same poll alone alerts."""
    made.polls(np.arange(0, DAY, 1800.0), name="c2.example", **APP)
    for time in np.sort(rng.uniform(0, DAY, 3000)):
        made.flow(
            float(time), up=int(rng.integers(200, 9000)), down=int(rng.integers(200, 90_000)), name="cdn.example", **APP
        )
    assert alerts("elastic", made.telemetry()) == []


def test_rita_does_not_see_a_poll_inside_one_long_flow(made):
    flow = made.flow(0, lasts_s=DAY, name="c2.example", **APP)
    for time in range(0, DAY, 60):
        made.exchange(flow, time, 50, 50)
    assert list(detector("rita").detect(made.telemetry())) == []
