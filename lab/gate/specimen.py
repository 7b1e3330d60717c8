"""A run that nobody played: scored trials of a made-up detector, to prove with them that the gate can break. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from detector.contract import Finding
from lab.score import score
from lab.scoring.outcomes import TrialResult
from lab.truth import DAY, Truth, TruthIncident

START = 1_772_409_600_000_000  # 2026-03-02T00:00:00Z
MINUTE = 60_000_000
SCENARIOS = 12
DETECTOR = "specimen"
PERIODS_S = (30.0, 300.0, 900.0, 3600.0)
KINDS = {"AN1793": ("http-poll", "com.example.torch", 10101), "AN1702": ("socks-relay", "com.example.games", 10102)}
BENIGN = ("com.example.news", 10103)


def specimen(seed: int = 1) -> list[TrialResult]:
    """A trial of each scenario: a poll on one phone, a relay on the other, both detected; no false alarm."""
    return [_trial(number, seed) for number in range(SCENARIOS)]


def card_of(trials: Sequence[TrialResult]) -> dict[str, Any]:
    """The content of the scorecard of these trials, with evidence of their own."""
    import json

    names = sorted({(one.scenario, one.seed) for one in trials})
    evidence = {
        "software": {"droidrange": "specimen"},
        "detectors": {},
        "scenarios": {scenario: "0" * 64 for scenario, _ in names},
        "recordings": {f"{scenario}-s{seed}": f"{seed:064d}" for scenario, seed in names},
    }
    seeds = len({seed for _, seed in names})
    made = score(trials, suite="specimen", seeds=seeds, budget=0.001).to_json()
    content: dict[str, Any] = json.loads(json.dumps({**made, "evidence": evidence}))
    return content


def _trial(number: int, seed: int) -> TrialResult:
    incidents = tuple(_incidents(number))
    truth = Truth(
        incidents=incidents,
        devices={"phone-01": "10.88.0.11", "phone-02": "10.88.0.12"},
        packages={
            (device, package): (uid, "tools")
            for device in ("phone-01", "phone-02")
            for package, uid in (*((package, uid) for _, package, uid in KINDS.values()), BENIGN)
        },
        start=START,
        span=DAY,
        scenario=f"specimen-{number:02d}",
        seed=seed,
        contacts={one.incident: tuple(START + step * MINUTE for step in range(one.contacts)) for one in incidents},
    )
    found = tuple(_finding(one, number) for one in incidents)
    place: dict[str, Any] = {
        "scenario": truth.scenario,
        "seed": seed,
        "stage": "flows",
        "view": "full",
        "detector": DETECTOR,
    }
    return TrialResult(**place, status="scored", truth=truth, findings=found)


def _incidents(number: int) -> Iterator[TruthIncident]:
    for device, (analytic, (behaviour, package, uid)) in enumerate(sorted(KINDS.items(), reverse=True), 1):
        name = f"phone-{device:02d}"
        yield TruthIncident(
            incident=f"{name}/{package}/{behaviour}",
            analytic=analytic,
            technique="",
            behaviour=behaviour,
            twin_of="",
            device=name,
            uid=uid,
            package=package,
            peers=("api.vendor.example",),
            start=START,
            end=START + DAY,
            contacts=200,
            settings={"period": PERIODS_S[number % len(PERIODS_S)], "jitter": 0.1 * (number % 3)},
        )


def _finding(incident: TruthIncident, number: int) -> Finding:
    """The finding that hits an incident, the later the higher the number."""
    decided = incident.start + (10 + number) * MINUTE
    return Finding(
        analytic=incident.analytic,
        device=incident.device,
        uid=incident.uid,
        package=incident.package,
        peer=incident.peers[0] if incident.analytic == "AN1793" else None,
        first_seen=incident.start,
        last_seen=decided,
        decided_at=decided,
        score=0.9,
        alert=True,
        severity="high",
        detector=DETECTOR,
        detector_version="1",
        reasons=(),
    )
