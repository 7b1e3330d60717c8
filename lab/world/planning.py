"""What the apps of one phone plan: each behaviour, each of its lives, with generators of its own.

A plan depends on the phone's day and its own key only, never on what others plan; nothing here knows the timeline.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from lab.authoring.blame import plan_of
from lab.authoring.plans import AppPlan, BehaviourPlan
from lab.behaviours import SECOND, Batch, Int64, Window
from lab.habits.firewall import walled, woken
from lab.habits.pace import Pace
from lab.habits.standby import buckets
from lab.phones.phone import Day
from lab.phones.radio import Radio, roamed
from lab.seeds import digits, generator, generators
from lab.world.lives import Life, later, lives, narrowed
from lab.world.peers import PeerKey, peer_keys, zone_of

Key = tuple[object, ...]


@dataclass(frozen=True)
class Task:
    """A behaviour of the phone's app at ``position``; ``key`` ends in its kind and which of that kind it is.

    ``when`` ends the keys of what is drawn of its days.
    """

    position: int
    device: str
    plan: AppPlan
    behaviour: BehaviourPlan
    key: Key
    window: Window
    lives: tuple[Life, ...]
    when: tuple[str, ...] = ()

    @property
    def endings(self) -> list[Key]:
        """What stands behind the key for each of its lives."""
        return [self.ending(life) for life in self.lives]

    def ending(self, life: Life) -> Key:
        """What stands behind the key for that life."""
        return (*(("moved",) if life.moved else ()), *self.when)


@dataclass(frozen=True)
class Part:
    """A life of a behaviour as planned: its peers' zone and keys by place, and the generator of its bytes."""

    batch: Batch
    zone: str
    peers: dict[int, PeerKey]
    rng: np.random.Generator


def tasks(
    key: Key, device: str, plans: list[AppPlan], day: Day, window: Window, *, when: tuple[str, ...] = ()
) -> Iterator[Task]:
    """What is to be planned on a phone, app by app; ``window`` is what all of them may know of its ``day``.

    ``when`` ends the keys of what is drawn of that day.
    """
    last_used = generators((*key, device, plan.package, "last used", *when) for plan in plans)
    for position, (plan, rng) in enumerate(zip(plans, last_used, strict=True)):
        uses = day.uses[day.front == position]
        mine = replace(window, foreground=uses, standby=_standby(rng, plan, uses, window), exempt=plan.exempt)
        kinds: Counter[str] = Counter()
        for behaviour in plan.behaviours:
            whole = (*key, device, plan.package, behaviour.kind, kinds[behaviour.kind])
            kinds[behaviour.kind] += 1
            if behaviour.dormant:
                continue
            its = replace(mine, built_in=digits((*key, plan.package, *whole[-2:], "built in"))[0])
            yield Task(position, device, plan, behaviour, whole, its, lives(plan, window.span), when)


def planned(todo: list[Task], radio: Radio) -> list[list[Part]]:
    """The parts of each task, planned; what travels with the phone is cut where it changes its network."""
    keys = [(*task.key, *ending) for task in todo for ending in task.endings]
    keys += [(*task.key, "bytes", *ending) for task in todo for ending in task.endings]
    drawn = generators(keys)  # for all plans, and then for all bytes
    pairs = iter(zip(drawn[: len(drawn) // 2], drawn[len(drawn) // 2 :], strict=True))
    return [[_part(task, life, next(pairs), radio) for life in task.lives] for task in todo]


def _part(task: Task, life: Life, rngs: tuple[np.random.Generator, np.random.Generator], radio: Radio) -> Part:
    behaviour, window, ending = task.behaviour.behaviour, narrowed(task.window, life), task.ending(life)
    batch = plan_of(behaviour, rngs[0], window)
    if getattr(behaviour, "wake", "") == "alarm":
        window = woken(batch, window, int(Pace.of(behaviour).ration * SECOND))
    batch = walled(batch, window, lambda: generator(*task.key, *ending, "doze"))
    batch = later(batch, life)
    if radio.matters:
        batch = roamed(generator(*task.key, *ending, "roaming"), batch, radio)
    zone = zone_of(task.plan, moved=life.moved)
    return Part(batch, zone, peer_keys(batch, task.device, zone, task.key, task.when), rngs[1])


def _standby(rng: np.random.Generator, plan: AppPlan, uses: Int64, window: Window) -> Int64:
    """The app's buckets. When it was last used before the scenario is drawn as long ago as it is used now.

    What came with the phone is exempt, and what its owner exempted (AOSP: STANDBY_BUCKET_EXEMPTED).
    """
    if plan.category == "system" or plan.exempt:
        return np.zeros((0, 3), dtype=np.int64)
    usual = window.span / (len(uses) + 0.5)
    return buckets(uses, window.screen_on, int(rng.exponential(usual)), window.span)
