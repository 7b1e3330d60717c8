"""Suricata rules, run by the real engine on the recording's packets: ``suricata:RULES``, a file or a folder of *.rules.

Every rule speaks for the analytic of its metadata ``mitre_technique_id`` (detector/rule_analytic.py) or of
``droidrange_analytic``; ``?analytic=AN1793`` behind RULES is for those that say neither. An alert is a finding of score
1; one of a rule with a count (threshold, detection_filter) is worth count / (count + the rule's), and from half the
rule's count on what did not alert is a near miss. Where one rule of an analytic counts, its count is a knob.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from detector.contract import ANALYTICS, Configuration, Detector, Finding, Knob, Origin, Telemetry, Unsupported
from detector.named_alerts import Hit, alerted
from detector.rule_analytic import split_argument
from detector.signature import Signature
from detector.suricata.counted import window
from detector.suricata.engine import installed, look
from detector.suricata.graded import SURE, graded, settled
from detector.suricata.rules import SUFFIX, Rule, read_rules, sids

ARGUMENT = "RULES"
LEAST, MOST = 1.0, 1_000_000.0  # of a count


@dataclass
class Suricata:
    """Rules with the analytic of each that alerts, by sid."""

    name: str
    version: str
    rules: tuple[Rule, ...]
    analytics: Mapping[int, str]
    knobs: tuple[Knob, ...]
    needs: tuple[str, ...] = ("flows",)

    def deciding(self, finding: Finding) -> float | None:
        """The count reached, of the rule that is a knob; any setting for another's alert."""
        told = {reason.feature: reason.value for reason in finding.reasons}
        rule, matches = told.get("rule"), told.get("matches")
        if any(rule == f"1:{knob.name.partition('.')[0]}" for knob in self.knobs):
            return float(matches) if isinstance(matches, int | float) else None
        return MOST if finding.alert else None

    def tuned(self, values: Mapping[str, float], origin: Origin) -> Configuration:
        """All rules in one file with these counts (a count is whole: the next above), and where they come from."""
        if unknown := set(values) - {one.name for one in self.knobs}:
            raise LookupError(f"detector {self.name}: unknown knob {', '.join(sorted(unknown))}")
        counts = {int(name.partition(".")[0]): math.ceil(value) for name, value in values.items()}
        return Configuration("suricata", content=settled(self.rules, counts, self.analytics, origin), suffix=SUFFIX)

    def judges(self, telemetry: Telemetry) -> tuple[str, ...]:
        """The analytics that its rules speak for; Unsupported where there are no packets."""
        if telemetry.capture is None:
            shown = "full, no-decryption, no-state and no-app of a recording with packets (--stage wire or live)"
            raise Unsupported(
                f"Suricata reads packets, and view {telemetry.view} shows none here; views that do: {shown}"
            )
        return tuple(one for one in ANALYTICS if one in self.analytics.values())

    def detect(self, telemetry: Telemetry) -> Iterator[Finding]:
        """A finding per rule, device, app and peer; Unsupported without packets, Failed as engine.look says."""
        who = Signature(self.name, self.version, partial=telemetry.partial is not None)
        rules = sids(self.rules)
        hits: list[Hit] = []
        for alert in look(self.rules, telemetry):
            rule = rules[alert.sid]
            score = SURE if window(rule) is None else SURE / 2
            hits.append(alert.hit(self.analytics[alert.sid], score=score, text=told(rule)))
        hits += graded(self.rules, self.analytics, telemetry)
        yield from alerted(telemetry, hits, who)


def knobs(rules: Mapping[int, Rule], analytics: Mapping[int, str]) -> tuple[Knob, ...]:
    """The count of each analytic's rule that counts, where there is one alone."""
    counting = {sid: counted for sid, rule in rules.items() if (counted := window(rule)) is not None}
    found = list[Knob]()
    for analytic in ANALYTICS:
        mine = [sid for sid in counting if analytics[sid] == analytic]
        if len(mine) == 1:
            found.append(Knob(f"{mine[0]}.count", analytic, float(counting[mine[0]].count), LEAST, MOST))
    return tuple(found)


def told(rule: Rule) -> str:
    """The rule in words: its message, number and place."""
    return f'Suricata rule {rule.sid} "{rule.message}" ({rule.path.name}, line {rule.line})'


def create(argument: str) -> Detector:
    """The rules of a file or folder; LookupError for rules that are none or do not say what they are about.

    Unsupported where Suricata is not installed.
    """
    path, given = split_argument(argument)
    if not path:
        raise LookupError("detector suricata: found no argument, expected suricata:RULES, a file or folder of *.rules")
    try:
        rules = read_rules(Path(path))
        alerting = sids(rules)
        analytics = {sid: rule.analytic(given) for sid, rule in alerting.items()}
    except LookupError as fault:
        raise LookupError(f"detector suricata: {fault}") from None
    if not analytics:
        raise LookupError(f"detector suricata: {path}: found no rule that alerts and has a sid, expected one or more")
    text = "\n".join(rule.text for rule in rules) + f"\n{given}"
    digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return Suricata(
        f"suricata:{argument}", f"{installed().version}+{digest}", rules, analytics, knobs(alerting, analytics)
    )
