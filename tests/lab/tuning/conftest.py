"""Detectors made up for tuning, and a lab that plays nothing: trials are what a function of seed says was found."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from detector.contract import Configuration, Knob
from lab.running.trial import Plan
from lab.tuning import tune as module
from lab.tuning.tune import Wish

DAYS = 40  # of each trial, on two phones
SEEDS = tuple(range(1, 9))
APPS = {("phone-02", f"com.example.app{number}"): (20_000 + number, "tools") for number in range(40)}


@pytest.fixture
def rng():
    return np.random.default_rng(7)


@dataclasses.dataclass
class Graded:
    """A detector with one knob, whose scores say everything."""

    bar: float = 0.5
    name: str = "graded"
    version: str = "1"
    needs: tuple = ()

    @property
    def knobs(self):
        return (Knob("bar", "AN1793", self.bar, 0.01, 1.0),)

    def tuned(self, values, origin):  # noqa: ARG002 - the contract
        return Configuration("graded", f"bar={values['bar']!r}")


@pytest.fixture
def lab(make, monkeypatch, tmp_path):
    """``lab.tune(found, alarms)``: functions of seed that give the scores of one incident each and of what is innocent."""

    def guilty(seed, several):
        return f"com.example.torch{seed % 4 if several else ''}"

    def findings(seed, found, alarms, bar, several):
        package = guilty(seed, several)
        said = [make.finding(score=score, alert=score >= bar, package=package) for score in found(seed)]
        for number, score in enumerate(alarms(seed)):
            who = {"package": f"com.example.app{number}", "uid": 20_000 + number, "peer": f"s{number}.example"}
            said.append(make.finding(score=score, alert=score >= bar, device="phone-02", **who))
        return said

    def played(seed, several):
        package = guilty(seed, several)
        truth = make.truth(make.incident(package=package), span=DAYS * 24 * make.HOUR)
        return dataclasses.replace(truth, packages={**truth.packages, ("phone-01", package): (10101, "tools"), **APPS})

    def trials(plan, found, alarms, *, several, **changes):
        (spelled,) = plan.detectors
        bar = float(spelled.partition("bar=")[2] or 0.5)
        return [
            make.trial(
                *findings(seed, found, alarms, bar, several),
                seed=seed,
                **{"stage": "flows", "detector": spelled, "truth": played(seed, several), **changes},
            )
            for seed in plan.seeds
        ]

    def tune(found, alarms, *, detector=None, out=None, budget=0.01, seeds=SEEDS, view="full", several=True, **changes):
        scene = SimpleNamespace(name="polling-plain", span=DAYS * 24 * make.HOUR, devices=2)
        plan = Plan("tiny", (scene,), seeds, "flows", ("graded",), (view,), budget)
        monkeypatch.setattr(module, "detector_named", lambda _name: detector or Graded())
        asked = []
        monkeypatch.setattr(module, "run_suite", lambda plan, *_, **__: asked.append(plan))
        monkeypatch.setattr(
            module, "load_run", lambda *_: trials(asked[-1], found, alarms, view=view, several=several, **changes)
        )
        return module.tune(Wish(plan, tmp_path, out, "2026-11-21"))

    return SimpleNamespace(tune=tune, Graded=Graded, SEEDS=SEEDS, DEVICE_DAYS=2 * DAYS * len(SEEDS))
