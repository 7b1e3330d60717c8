"""One group as a finding: excuse, score, severity and order, and what each is drawn from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.analytics.command_polling import command_polling, measured
from detector.analytics.polling_finding import told_of
from detector.analytics.polling_score import scored
from detector.baseline import learn
from detector.contract import Finding
from detector.signature import Signature
from detector.thresholds import load_thresholds

LIMITS = load_thresholds().polling
BY = Signature("builtin", "test", partial=False)
TORCH = {"uid": 10_001, "package": "com.example.torch"}
SIGNS = ("interval_regularity", "size_constancy", "background_use", "idle_share", "explained", "protocol_role")
NAN = float("nan")


@pytest.fixture
def told(made):
    """A function that tells of the one group of the polls in ``made``, its columns and parts replaced."""

    def tell(limits=LIMITS, **changed):
        if "flows" not in made.rows:
            made.polls(300.0 * np.arange(200), name="c2.site.example", **TORCH)
        found = measured(made.telemetry(), limits)
        one = told_of(found, scored(found.columns, limits), 0, limits)
        parts = one.verdict.parts | {name: value for name, value in changed.items() if name in one.verdict.parts}
        columns = one.verdict.columns | {name: value for name, value in changed.items() if name in one.verdict.columns}
        return replace(one, verdict=replace(one.verdict, columns=columns, parts=parts))

    return tell


def plain(**changed):
    """Factors without a sign of anything, of which some are changed."""
    return {**dict.fromkeys(SIGNS, 0.0), "explained": 1.0, "baseline": 1.0, "gate": 0.0, **changed}


UNSEEN = {"background_use": 0.9, "idle_share": 0.9}
SHAPED = {"interval_regularity": 0.9, "size_constancy": 0.9}


@pytest.mark.parametrize(
    ("signs", "severity"),
    [
        ({}, "low"),
        (SHAPED, "low"),  # one sign is any honest timer
        ({"interval_regularity": 0.9, "explained": 0.0}, "low"),  # regular in time but not in size
        ({**SHAPED, "explained": 0.0}, "medium"),
        ({**SHAPED, "explained": NAN}, "low"),  # no category is no sign
        ({**SHAPED, "gate": 1.0}, "medium"),
        ({**SHAPED, **UNSEEN, "gate": 1.0}, "high"),
        ({**SHAPED, **UNSEEN, "explained": 0.0, "baseline": 0.0}, "medium"),  # nothing was learned
        ({**SHAPED, "explained": 0.0, "protocol_role": 1.0, "gate": 1.0}, "medium"),  # no device state
        ({**SHAPED, **UNSEEN, "idle_share": NAN, "gate": 1.0}, "high"),  # of the interaction nothing was told
        ({**SHAPED, **UNSEEN, "idle_share": 0.1, "gate": 1.0}, "medium"),  # somebody was there
        ({**SHAPED, **UNSEEN, "idle_share": 0.0, "gate": 1.0}, "medium"),  # all of the time
    ],
)
def test_severity_is_what_comes_together(told, signs, severity):
    assert told(**plain(**signs)).severity() == severity


def test_severity_of_a_person_who_never_puts_the_phone_down_is_not_high(made, told):
    """The same through device states: an idle share of 0 is known, and is no unknown."""
    for k in range(288):
        made.state(300 * k, locked=k % 2 == 0, foreground=5)
    one = told()
    assert one.verdict.known("background_use") >= 0.6
    assert one.verdict.known("idle_share") == 0
    shaped = plain(**SHAPED, gate=1.0) | {name: one.verdict.columns[name] for name in UNSEEN}
    assert told(**shaped).severity() == "medium"
    for row in made.rows["device_state"]:
        row["last_interaction"] = 0
    shaped |= {name: told().verdict.columns[name] for name in UNSEEN}
    assert told(**shaped).severity() == "high"


share = st.sampled_from([NAN, 0.0, 0.3, 0.5, 0.7, 1.0])


@given(
    values=st.fixed_dictionaries(dict.fromkeys(SIGNS, share)),
    gate=st.floats(0, 1),
    baseline=st.sampled_from([0.0, 1.0]),
)
def test_high_never_stands_without_state_and_a_learned_baseline(values, gate, baseline):
    one = _one()
    columns = one.verdict.columns | values | {"baseline": baseline}
    judged = replace(one, verdict=replace(one.verdict, columns=columns, parts=one.verdict.parts | {"gate": gate}))
    unseen = values["background_use"] >= 0.6 and not values["idle_share"] < 0.5
    assert judged.severity() in ("low", "medium", "high")
    assert judged.severity() != "high" or (baseline == 1 and unseen)


def _one():
    from tests.detector.conftest import Made  # a fixture would be shared between examples

    one = Made()
    one.polls(60.0 * np.arange(9), **TORCH)
    found = measured(one.telemetry(), LIMITS)
    return told_of(found, scored(found.columns, LIMITS), 0, LIMITS)


@pytest.mark.parametrize(
    ("listed", "excused"),
    [
        ("c2.site.example", True),
        ("site.example", True),
        ("198.18.0.9", True),
        ("other.site.example", False),
        ("example", False),
    ],
)
def test_a_destination_is_excused_by_name_domain_or_address(made, told, listed, excused):
    made.lookup(1, "c2.site.example", answers=("198.18.0.9",), uid=1051)
    made.polls(300.0 * np.arange(200) + 2, name="c2.site.example", **TORCH)
    limits = replace(LIMITS, allowed_destination_list=frozenset({listed}))
    one = told(limits)
    assert (one.excuse(limits) is not None) == excused
    assert one.alerts(limits) != excused
    assert one.excuse(LIMITS) is None


LISTED = replace(LIMITS, allowed_destination_list=frozenset({"c2.site.example"}))


@pytest.mark.parametrize(
    ("answer", "name", "excused"),
    [
        ("198.18.0.9", "c2.site.example", True),
        ("198.18.0.9", "www.site.example", True),  # of the same domain, as addresses are shared within
        ("198.18.0.7", "c2.site.example", False),  # the name is true elsewhere
        ("198.18.0.9", "other.example", False),  # the address is somebody else's
        ("198.18.0.7", "other.example", False),  # nobody asked for either
    ],
)
def test_a_name_on_a_list_excuses_only_what_look_ups_bear_out(made, told, answer, name, excused):
    """A client may present any name: an implant that says it speaks to a listed service does not."""
    made.lookup(1, name, answers=(answer,), uid=1051)
    made.polls(300.0 * np.arange(200) + 2, name="c2.site.example", **TORCH)
    one = told(LISTED)
    assert (one.excuse(LISTED) is not None) == excused
    assert one.alerts(LISTED) != excused


def test_one_true_contact_does_not_cover_for_the_others(made, told):
    made.lookup(1, "c2.site.example", answers=("198.18.0.7",), **TORCH)
    made.flow(2, name="c2.site.example", server="198.18.0.7", **TORCH)
    made.polls(300.0 * np.arange(1, 200), name="c2.site.example", **TORCH)
    found = measured(made.telemetry(), LIMITS)
    assert found.destination.of(np.arange(len(found))) == ["198.18.0.9"], "judged apart, by its address"
    assert told(LISTED).alerts(LISTED)


def test_without_look_ups_a_name_on_a_list_counts_half(made, told):
    """What scores high all the same alerts, ranked lower; the rest is informational and says why."""
    made.polls(300.0 * np.arange(288), name="c2.site.example", **TORCH)
    one = told(LISTED)
    needed = one.needed(LISTED)
    assert LIMITS.threshold < needed < one.verdict.parts["score"]
    strong = one.finding(LISTED, BY, 7)
    assert strong.alert
    assert strong.score == pytest.approx(one.verdict.parts["score"] * (1 - LIMITS.allowed_relief / 2), abs=1e-6)
    assert "was enough all the same" in strong.reasons[-1].text
    weak = told(LISTED, score=float(np.nextafter(needed, 0)))
    assert not weak.alerts(LISTED)
    assert "no look-up shows" in (weak.excuse(LISTED) or "")
    assert weak.finding(LISTED, BY, 7).severity == "informational"
    assert told(LISTED, score=needed).alerts(LISTED)


def stranger(made):
    """What a past without the destination under judgement teaches."""
    past = type(made)()
    past.polls(600.0 * np.arange(2), **TORCH, name="www.torch.example")
    return learn(past.telemetry())


def test_what_alerts_despite_a_list_is_decided_when_it_reached_that(made):
    made.polls(300.0 * np.arange(288), name="c2.site.example", **TORCH)
    seen = replace(made.telemetry(), baseline=stranger(made))
    (plain_finding,), (listed,) = (list(command_polling(seen, limits, BY)) for limits in (LIMITS, LISTED))
    assert plain_finding.alert
    assert listed.alert
    assert plain_finding.decided_at < listed.decided_at <= listed.last_seen


def test_without_a_learned_baseline_it_is_decided_when_the_survey_is_whole(made):
    """What others do is known at the end of what is surveyed; with a learned baseline (control) it was before."""
    made.polls(300.0 * np.arange(200), name="c2.site.example", **TORCH)
    (alone,) = alerting(made, None)
    assert alone.decided_at < alone.last_seen, "control: nobody else could be asked, so nothing was"
    made.flow(5, name="www.other.example", device="phone-02")
    (surveyed,) = alerting(made, None)
    (known,) = alerting(made, stranger(made))
    assert surveyed.decided_at == made.telemetry().span[1] > surveyed.last_seen
    assert known.decided_at < known.last_seen


@pytest.mark.parametrize("excuse", ["sanctioned", "role", "package"])
def test_an_excuse_lowers_the_score_and_is_told(made, told, excuse):
    plain_finding = told().finding(LIMITS, BY, 7)
    roles = ("mdm",) if excuse == "role" else ()
    made.app(10_001, "com.example.torch", None, sanctioned=excuse == "sanctioned", roles=roles)
    listed = frozenset({"com.example.torch"} if excuse == "package" else ())
    limits = replace(LIMITS, allowed_app_list=listed, role_relief=dict.fromkeys(("baseline", "no_baseline"), 0.0))
    found = told(limits).finding(limits, BY, 7)
    assert plain_finding.alert
    assert (found.alert, found.severity) == (False, "informational")
    assert found.score == pytest.approx(plain_finding.score * (1 - LIMITS.allowed_relief), abs=1e-6)
    assert found.reasons[-1].feature == "allowed"
    assert all(reason.feature != "allowed" for reason in plain_finding.reasons)


@pytest.mark.parametrize(("score", "alert"), [(LIMITS.threshold, True), (np.nextafter(LIMITS.threshold, 0), False)])
def test_the_threshold_itself_alerts(told, score, alert):
    one = told(score=float(score))
    assert one.alerts(LIMITS) == alert
    assert (one.finding(LIMITS, BY, 7).severity == "informational") != alert


def test_a_finding_says_who_when_and_by_whom_and_can_be_read_back(told):
    one = told()
    found = one.finding(LIMITS, replace(BY, partial=True), 600_000_000)
    assert (found.device, found.uid, found.package, found.peer) == ("phone-01", *TORCH.values(), "c2.site.example")
    assert (found.first_seen, found.decided_at, found.last_seen) == (0, 600_000_000, 199 * 300_000_000)
    assert (found.detector, found.detector_version, found.partial) == ("builtin", "test", True)
    assert Finding.from_json(found.to_json()).reasons == found.reasons


def test_the_inventory_names_an_app_the_flows_do_not(made, told):
    made.polls(300.0 * np.arange(200), uid=10_001)
    assert told().finding(LIMITS, BY, 1).package is None
    made.app(10_001, "com.example.torch", "tools")
    assert told().finding(LIMITS, BY, 1).package == "com.example.torch"


def test_weights_of_what_is_unknown_are_zero_and_the_others_are_the_scores_own(told):
    weights, columns = told().verdict.weights, told().verdict.columns
    unknown = {name for name in weights if np.isnan(columns[name])}
    assert unknown >= {"background_use", "background_share"}, "there is no device state"
    assert {name for name, weight in weights.items() if weight == 0} == unknown
    assert sum(weights.values()) == pytest.approx(sum(LIMITS.product_weights.values()))


def test_findings_come_in_the_order_of_device_app_and_destination(made):
    for name, device, uid in (
        ("b.example", "b", 1),
        ("a.example", "b", 1),
        ("z.example", "a", 9),
        ("y.example", "a", 3),
    ):
        made.polls(300.0 * np.arange(200) + 7, name=name, device=device, uid=uid)
    found = [(one.device, one.uid, one.peer) for one in command_polling(made.telemetry(), LIMITS, BY)]
    assert found == [("a", 3, "y.example"), ("a", 9, "z.example"), ("b", 1, "a.example"), ("b", 1, "b.example")]


def alerting(made, baseline):
    seen = replace(made.telemetry(), baseline=baseline)
    return [one for one in command_polling(seen, LIMITS, BY) if one.alert]


@pytest.mark.parametrize(("sanctioned", "roles"), [(True, ()), (False, ("remote_access",)), (False, ("vpn", "mdm"))])
def test_an_approval_covers_what_was_known_and_what_is_rolled_out(made, sanctioned, roles):
    torch = {**TORCH, "name": "c2.site.example"}
    made.polls(300.0 * np.arange(288), **torch)
    for phone in range(1, 6):
        made.app(10_001, TORCH["package"], "tools", sanctioned=sanctioned, roles=roles)
        made.rows["packages"][-1]["device"] = f"phone-{phone:02}"
    baseline = stranger(made)
    (turned,) = alerting(made, baseline)
    assert "allowed" not in {one.feature for one in turned.reasons}
    assert alerting(made, None) == [], "control: nobody knows what it did before"
    for phone in range(2, 6):
        made.polls(7 * phone + 300.0 * np.arange(288), **{**torch, "device": f"phone-{phone:02}"})
    assert alerting(made, baseline) == [], "all phones do: a roll-out"
