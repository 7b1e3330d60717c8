"""What rules with a count are worth: their matches as hits, and the same rules written again with other counts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from detector.contract import Origin, Telemetry
from detector.named_alerts import Hit
from detector.rule_analytic import KEY, analytic_of
from detector.suricata.counted import Window, reached, uncounted, window
from detector.suricata.engine import look
from detector.suricata.eve import Alert
from detector.suricata.rules import TECHNIQUE, Rule, sids

SURE = 1.0
NEAR = 0.5  # of a rule's count: below, its matches are nobody's business


def graded(rules: Sequence[Rule], analytics: Mapping[int, str], telemetry: Telemetry) -> list[Hit]:
    """How far the counts came, a hit for each flow with half a rule's count or more; none of them is an alert.

    The alerts are Suricata's own; Unsupported and Failed as engine.look says. Nothing runs where no rule counts.
    """
    counting = {sid: found for sid, rule in sids(rules).items() if (found := window(rule)) is not None}
    if not counting:
        return []
    matches: dict[int, list[Alert]] = defaultdict(list)
    for alert in look(uncounted(rules), telemetry, whole=True):
        if alert.sid in counting:
            matches[alert.sid].append(alert)
    return [hit for sid, some in matches.items() for hit in _hits(some, counting[sid], analytics[sid])]


def _hits(matches: Sequence[Alert], window: Window, analytic: str) -> list[Hit]:
    keyed = ((one.time, window.keyed(one.source, one.target, one.flow)) for one in matches)
    best: dict[object, tuple[int, Alert]] = {}
    for alert, count in zip(matches, reached(window, keyed), strict=True):
        if count > best.get(alert.flow, (0, alert))[0]:
            best[alert.flow] = (count, alert)
    return [
        alert.hit(analytic, score=count / (count + window.count), text=f'"{alert.message}", counted').counted(
            float(count), f"fewer than {window.count} in {window.seconds} s {window.track}"
        )
        for count, alert in best.values()
        if count >= NEAR * window.count
    ]


def settled(rules: Sequence[Rule], counts: Mapping[int, int], analytics: Mapping[int, str], origin: Origin) -> str:
    """All rules as one file, with other counts, saying which analytic is meant and where the counts come from."""
    split = " ".join(origin.split.split())
    note = f"# droidrange tune, {origin.date}: budget {origin.budget:g} a device-day, {split}\n"
    lines = []
    for rule in rules:
        sid = rule.sid or 0
        said = rule if sid not in counts else rule.counting(counts[sid])
        lines.append(said.text if sid not in analytics else _speaking(said, analytics[sid]))
    return note + "\n".join(lines) + "\n"


def _speaking(rule: Rule, analytic: str) -> str:
    """The text of a rule that says itself which analytic it is about."""
    try:
        tags = rule.metadata.get(TECHNIQUE, ())
        analytic_of(tags, said=rule.metadata.get(KEY, [None])[0], given=None, rule="", line="")
    except LookupError:
        return f"{rule.text.rstrip()[:-1].rstrip()} metadata:{KEY} {analytic};)"
    return rule.text
