"""What a judge needs beside verdicts: how each incident was set, and what each trial cost, one row each.

Pure, like lab/score.py. Settings stand once for an incident, not once for each detector and view that met it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from lab.scoring.outcomes import Stray, TrialResult


def played(trials: Iterable[TrialResult]) -> list[dict[str, Any]]:
    """Each incident of the trials once, in the order of place: scenario, seed, stage, incident, settings.

    Settings are the behaviour's, as truth has them: durations in seconds. What JSON does not know is its text.
    """
    found: dict[tuple[str, int, str, str], dict[str, Any]] = {}
    for trial in trials:
        for one in trial.truth.incidents if trial.truth else ():
            key = (trial.scenario, trial.seed, trial.stage, one.incident)
            place = dict(zip(("scenario", "seed", "stage", "incident"), key, strict=True))
            found[key] = {**place, "settings": {name: _plain(value) for name, value in sorted(one.settings.items())}}
    return [found[key] for key in sorted(found)]


def judgements(trials: Iterable[TrialResult], strays: Sequence[Stray]) -> list[dict[str, Any]]:
    """A row for each scored trial and analytic judged in it: device-days watched, false alarms raised.

    ``strays``: the findings of these trials that speak of no incident; those that are no alerts cost nothing.
    """
    alarms = Counter((one.trial.key, one.finding.analytic) for one in strays if one.finding.alert)
    return [
        {
            **trial.place(),
            "analytic": analytic,
            "device_days": trial.truth.device_days,
            "false_alarms": alarms[trial.key, analytic],
        }
        for trial in trials
        if trial.status == "scored" and trial.truth
        for analytic in sorted(trial.judged)
    ]


def _plain(value: object) -> object:
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)
