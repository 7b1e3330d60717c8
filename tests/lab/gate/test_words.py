"""What a person reads: value, interval, n, limit, baseline, difference, names and commands."""

from dataclasses import replace

from lab.gate.words import FEW, NAMED, lines


def said(found):
    return "\n".join(lines(found))


def test_a_broken_threshold_says_everything(gates):
    before = gates.card(gates.trials())
    card = gates.card(gates.spoiled(gates.trials(), lost=[gates.scenario(4)]))
    text = said(gates.gate(card, "polling.recall no-loss", "polling.recall >= 0.95", baseline=before))
    assert "BROKEN   polling.recall no-loss [specimen, full]" in text
    assert "measured 91.7 % (64.6 % to 98.5 %), n = 12 incidents; limit 95 %" in text
    assert "baseline 100 % (75.8 % to 100 %), n = 12 incidents; difference -8.33 %" in text
    assert "lost phone-01/com.example.torch/http-poll (specimen-04, seed 1): AN1793, nothing was said of it" in text
    assert "    droidrange run specimen-04 --seed 1 --stage flows --detector specimen --view full -o out/again" in text
    assert text.endswith("gate: BROKEN, 2 of 2 thresholds")
    assert "evidence: 12 trials (12 scored, 0 unsupported, 0 failed) on 12 recordings" in text


def test_held_warned_unjudged(gates):
    card = gates.card(gates.trials())
    assert said(gates.gate(card, "recall >= 1")).endswith("gate: held")
    warned = said(gates.gate(card, "warn time_to_detect_p50 <= 1s", "recall >= 1"))
    assert "warning  warn time_to_detect_p50" in warned
    assert "measured 15 min" in warned
    assert warned.endswith("gate: held, 1 warnings")
    assert said(gates.gate(card, "recall{colour=red} >= 1")).endswith("this is neither a pass nor a regression")
    assert "nothing was judged" in said(gates.gate(card))


def test_long_lists_are_cut_and_say_so(gates):
    none = gates.card([replace(one, findings=()) for one in gates.trials()])
    broken, warned = (said(gates.gate(none, f"{level}recall >= 1")) for level in ("", "warn "))
    assert broken.count("missed phone") == NAMED
    assert f"and {24 - NAMED} more: --json names them all" in broken
    assert warned.count("missed phone") == FEW


def test_too_few_for_an_interval_is_said(gates):
    few = gates.card(gates.trials()[:1])
    assert "(too few for an interval), n = 1 detected" in said(gates.gate(few, "polling.time_to_detect_p90 <= 9h"))


def test_an_end_that_is_not_known_is_unbounded(gates):
    assert "to unbounded" in said(gates.gate(gates.card(gates.trials()), "time_to_detect_p90 <= 9h"))


def test_hostile_names_cannot_move_the_cursor(gates):
    noisy = gates.spoiled(gates.trials(), noise=[gates.scenario(0)])
    bad = [
        replace(one, peer="a\x1b[2J\r\u202eb") if one.peer and "feed" in one.peer else one for one in noisy[0].findings
    ]
    text = said(gates.gate(gates.card([replace(noisy[0], findings=tuple(bad)), *noisy[1:]]), "false_alarms <= 0"))
    assert "�[2J" in text
    assert not {"\x1b", "\r", "\u202e"} & set(text)


def test_blind_spots_and_unscored_trials(gates):
    trials = [replace(one, findings=one.findings[:1]) for one in gates.trials()]
    lost = replace(trials[0], status="unsupported", reason="no table", findings=())
    text = said(gates.gate(gates.card([lost, *trials[1:]]), "polling.recall >= 1"))
    assert "AN1702 socks-relay: all 12 missed (specimen, full)" in text
    assert "specimen-00 seed 1: unsupported, no table" in text
