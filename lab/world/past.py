"""The days before a scenario: the same phones and apps on other days, and which of its behaviours are there already.

Every draw of those days has a key of its own that ends in EARLIER; what phones, apps and hosts are is keyed as ever. It
decides who is there; compiling is lab/world/compiler.py's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from lab.authoring.plans import AppPlan, BehaviourPlan, Scenario
from lab.behaviours import SECOND
from lab.errors import ScenarioError
from lab.phones.calendar import DAY
from lab.seeds import generators

EARLIER = ("past",)  # ends the keys of what differs between the days before and the scenario's own
LONGEST = 366 * DAY
NOVEL = 0.01  # how many look-alikes are new (docs/design.md)
EVERYWHERE = 0.5  # of these, how many to the whole fleet as implants are, the others phone by phone
Key = tuple[object, ...]
Pair = tuple[str, str]  # a package and a kind of its behaviours


@dataclass(frozen=True)
class Past:
    """``learn`` microseconds before the scenario's start.

    ``poison`` is the probability with which each of its labelled behaviours is there already, ``novel`` that with which
    on a phone what imitates one is not. ScenarioError if any cannot be.
    """

    learn: int
    poison: float = 0.0
    novel: float = NOVEL

    def __post_init__(self) -> None:
        faults = []
        if not 0 < self.learn <= LONGEST:
            found = f"{self.learn / DAY:.12g} days"
            faults.append(f"past: found {found}, expected more than 0 and at most {LONGEST // DAY} days")
        for name, share in (("poison", self.poison), ("novel", self.novel)):
            if not 0 <= share <= 1:  # NaN is neither
                faults.append(f"{name}: found {share:.12g}, expected from 0 to 1")
        if faults:
            raise ScenarioError(faults)

    @property
    def told(self) -> dict[str, float]:
        """What is said of it where it was played or learned from."""
        return {"learn_s": self.learn / SECOND, "poison": self.poison, "novel": self.novel}

    def of(self, scenario: Scenario) -> Scenario:
        """The span before that of a scenario, on the calendar's days."""
        return replace(scenario, start=scenario.start - self.learn, span=self.learn)

    def apps(
        self, key: Key, plans: Sequence[AppPlan], device: str, alike: frozenset[Pair] = frozenset()
    ) -> list[AppPlan]:
        """Of the apps that a phone has during the scenario those that it had before, and what they did.

        One that comes during the scenario is not there, one that goes then is; no vendor has moved yet. A labelled
        behaviour is dormant unless its own draw is below ``poison``: more poison keeps what less had. One that is
        ``alike`` (Scenario.alike) is dormant by draws that know no poison, one for all phones and one of this phone's,
        or novelty would be guilt.
        """
        there = [plan for plan in plans if plan.installed == 0]
        draws = iter(generators(one for plan in there for one in _drawn(key, plan, device, alike)))
        found = []
        for plan in there:
            behaviours = tuple(
                replace(one, dormant=self._dormant([(why, next(draws).random()) for why in _why(plan, one, alike)]))
                for one in plan.behaviours
            )
            found.append(replace(plan, removed=None, moves=None, behaviours=behaviours))
        return found

    def _dormant(self, drawn: Sequence[tuple[str, float]]) -> bool:
        fleet = EVERYWHERE * self.novel
        rest = (self.novel - fleet) / (1 - fleet)  # of those that are not new to the fleet
        chances = {"poison": 1 - self.poison, "everywhere": fleet, "novel": rest}
        return any(number < chances[why] for why, number in drawn)


def _why(plan: AppPlan, one: BehaviourPlan, alike: frozenset[Pair]) -> tuple[str, ...]:
    """What is drawn of a behaviour that may be dormant: any of it suffices."""
    if one.label:
        return ("poison",)
    return ("everywhere", "novel") if (plan.package, one.kind) in alike else ()


def _drawn(key: Key, plan: AppPlan, device: str, alike: frozenset[Pair]) -> Iterator[Key]:
    """The key of each draw: ends in the behaviour's kind, which of that kind of the app it is, and what is drawn."""
    kinds: Counter[str] = Counter()
    for one in plan.behaviours:
        for why in _why(plan, one, alike):
            phone = () if why == "everywhere" else (device,)
            yield (*key, *phone, plan.package, one.kind, kinds[one.kind], why)
        kinds[one.kind] += 1
