from lab.report.telling import in_a_line, telling


def reason(feature, value, weight):
    return {"feature": feature, "value": value, "weight": weight, "expected": "0", "text": "because"}


def test_what_says_nothing_is_not_told():
    rows = [
        reason("period_s", 300.0, 0.0),
        reason("naming", 0.0, 0.35),
        reason("state", None, 0.3),
        reason("same", 0.9, 0.2),
    ]
    assert [row["feature"] for row in telling(rows)] == ["period_s", "same"]
    assert telling([]) == []


def test_no_single_large_value_drowns_the_others():
    rows = [reason("first", 1.0, 0.1), reason("contacts", 5000, 0.1), reason("regular", 0.9, 0.4)]
    assert [row["feature"] for row in telling(rows)] == ["first", "regular", "contacts"]


def test_unknown_values_and_words_are_said_without_a_number():
    assert in_a_line(reason("state", None, 1.0)) == "because"
    assert in_a_line(reason("kind", "socks5", 1.0)) == "because"
    assert in_a_line(reason("period_s", 2.5, 1.0)) == "period_s 2.5 (0): because"
