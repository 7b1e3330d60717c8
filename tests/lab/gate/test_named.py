"""Names of what broke a threshold: by incident and by alarm, the worst first."""

from dataclasses import replace

from lab.gate.grammar import metric_named, parse
from lab.gate.named import missed, new_alarms, slow, slower
from lab.gate.selection import Card

CELL = ("specimen", "full")


def test_missed_and_unseen(gates):
    card = Card(gates.card([replace(one, findings=()) for one in gates.trials()]))
    rows = [
        {**row, "verdict": verdict}
        for row, verdict in zip(card.incidents[CELL], ("missed", "unseen", "detected"), strict=False)
    ]
    assert [one.how for one in missed(card, rows, unseen=False)] == ["missed"]
    assert [one.how for one in missed(card, rows, unseen=True)] == ["missed", "unseen"]


def test_the_most_delayed_first(gates):
    card = Card(gates.card(gates.trials()))
    rows = card.incidents[CELL][:3]
    late = [
        {**row, "time_to_detect_s": row["time_to_detect_s"] + more} for row, more in zip(rows, (5, 500, 0), strict=True)
    ]
    metric = metric_named("time_to_detect_p90")
    found = slower(card, list(zip(late, rows, strict=True)), metric)
    assert [one.name for one in found] == [rows[1]["incident"], rows[0]["incident"]]
    assert found[0].detail == f"after {late[1]['time_to_detect_s']:.12g} s, was {rows[1]['time_to_detect_s']:.12g} s"
    assert len(slow(card, rows, metric, 600.0)) == sum(row["time_to_detect_s"] > 600 for row in rows)


def test_an_alarm_given_twice_is_new_once(gates):
    noise = [gates.scenario(3)]
    before = Card(gates.card(gates.spoiled(gates.trials(), noise=noise)))
    card = Card(gates.card(gates.spoiled(gates.trials(), noise=noise)))
    card.content["false_alarms"].append(card.content["false_alarms"][0])
    threshold = parse("false_alarms <= 0")
    assert len(new_alarms(card, None, threshold, CELL)) == 2
    assert len(new_alarms(card, before, threshold, CELL)) == 1
    assert new_alarms(card, None, parse("relay.false_alarms <= 0"), CELL) == []
