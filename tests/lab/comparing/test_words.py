from lab.comparing.compare import compared
from lab.comparing.words import lines
from lab.gate.selection import Card


def told(made, before=None, now=None, *, anyway=False):
    return lines(compared(made.card("a", **before or {}), made.card("b", **now or {}), anyway=anyway))


def test_nothing_changed(made):
    found = told(made)
    assert found[0] == "A a: suite specimen, droidrange specimen, 12 scenarios and 1 seed compared"
    assert found[-1] == "compare: nothing more than chance, of 6 tested at alpha 0.05 over all of them"
    assert "note: both were scored on the same recordings: every difference is the detectors'" in found


def test_what_was_lost_is_named_with_its_command(made):
    found = told(made, {}, {"lost": range(11)})
    assert (
        found[-1]
        == "compare: 2 significantly worse, 0 significantly better, of 6 tested at alpha 0.05 over all of them"
    )
    row = next(line for line in found if line.startswith("WORSE"))
    assert "100 %" in row
    assert "8.33 %" in row
    assert "-91.7 %" in row
    place = next(number for number, line in enumerate(found) if line.startswith("lost phone-01/com.example.torch"))
    assert found[place + 1].startswith("    droidrange run specimen-00 --seed 1 ")
    assert "and 1 more lost: --json names them all" in found


def test_what_may_be_chance_is_not_shouted(made):
    found = told(made, {}, {"lost": [0]})
    assert not any(line.startswith(("WORSE", "BETTER")) for line in found)
    assert any(line.startswith("worse") for line in found)


def test_what_differs_beside_the_detector_is_said_first(made):
    found = told(made, {"software": "9.9"}, anyway=True)
    assert "not the detector's alone: droidrange: A was made with 9.9, B with specimen" in found[:4]


def test_versions_of_a_detector_that_differ_are_told(made):
    one, other = made.content(), made.content()
    one["evidence"]["detectors"], other["evidence"]["detectors"] = {"specimen": "1"}, {}
    assert "specimen: version 1 in A, unknown in B" in lines(compared(Card(one, "a"), Card(other, "b")))


def test_hostile_names_steer_nothing(made):
    hostile = made.content(lost=range(12))
    for row in hostile["incidents"] + hostile["played"]:
        row["incident"] += "\x1b[31m\n::error::x"
    calm = made.content()
    for row in calm["incidents"] + calm["played"]:
        row["incident"] += "\x1b[31m\n::error::x"
    found = lines(compared(Card(calm, "a"), Card(hostile, "b")))
    assert any("::error::x" in line for line in found)
    assert all(line.isprintable() for line in found)
