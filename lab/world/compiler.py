"""From a scenario and a seed to a timeline: phones get addresses and days, apps get uids, behaviours get to plan.

Every draw is keyed by what it is for (seed, scenario, device, package, kind), never by its place in the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace

import numpy as np

from lab.authoring.plans import TECHNIQUES, AppPlan, Scenario
from lab.behaviours import SECOND, Batch, Int64, Window
from lab.errors import ScenarioError
from lab.phones.calendar import Calendar
from lab.phones.phone import Day, plan_day
from lab.phones.radio import Radio
from lab.phones.states import state_table
from lab.protocols.tls import client_pool_size
from lab.seeds import generator
from lab.timeline import NAME_LOOKUP, App, Incident, Listener, States, Timeline
from lab.world.assembly import Assembly, Owner
from lab.world.dual_stack import dual_stacked
from lab.world.fleet import Fleet
from lab.world.joining import joined
from lab.world.lives import used_while_there
from lab.world.past import Past
from lab.world.peers import rows_of
from lab.world.planning import Part, Task, planned, tasks
from lab.world.resolving import Resolving
from lab.world.tunnel import tunnelled

NETD_UID = 1051  # AID_DNS, android_filesystem_config.h
BLOCK = 10  # phones compiled, and played, together: enough to share what a block costs, and days of them fit in memory


@dataclass
class _Compilation:
    """What grows while the phones of a block are compiled one after the other; they are counted from its first."""

    world: Fleet
    first: int
    assembly: Assembly
    apps: list[App] = field(default_factory=list)
    incidents: list[Incident] = field(default_factory=list)
    states: list[States] = field(default_factory=list)
    netd: dict[int, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


def compile_timeline(scenario: Scenario, seed: int, past: Past | None = None) -> Timeline:
    """The timeline of that scenario and seed, or of the ``past`` before it.

    ScenarioError for every labelled behaviour that makes no contact; of a past that is no fault.
    """
    return joined(list(compile_blocks(scenario, seed, past)))


def compile_blocks(scenario: Scenario, seed: int, past: Past | None = None) -> Iterator[Timeline]:
    """The timeline, BLOCK phones at a time: memory holds one block and the names and addresses given so far.

    ScenarioError, when their block is reached, for all its labelled behaviours that make no contact.
    """
    world = Fleet.of(scenario, seed)
    world = world.before(past) if past else world
    for first in range(0, scenario.devices, BLOCK):
        yield _block(world, range(first, min(first + BLOCK, scenario.devices)))


def _block(world: Fleet, phones: range) -> Timeline:
    scenario = world.scenario
    work = _Compilation(world, phones[0], Assembly(world.cast, phones[0], world.when))
    for number in phones:
        _compile_device(work, number)
    if work.faults:
        raise ScenarioError(work.faults)
    device_of = np.array([app.device for app in work.apps], dtype=np.int64)
    switches = {number - phones[0]: world.radios[number].switches for number in phones}
    switches = {number: times for number, times in switches.items() if len(times)}
    how = Resolving(scenario.phones.private_dns, switches, scenario.span, scenario.network)
    work.assembly.look_up(work.netd, device_of, world.kinds.index(NAME_LOOKUP), how)
    conversations, exchanges = work.assembly.seal(scenario.start, device_of)
    timeline = Timeline(
        scenario=scenario.name,
        scenario_sha256=scenario.sha256,
        seed=world.seed,
        start=scenario.start,
        span=scenario.span,
        devices=world.devices[phones.start : phones.stop],
        apps=tuple(work.apps),
        hosts=tuple(work.assembly.met.hosts),
        speeches=tuple(work.assembly.speeches),
        behaviours=world.kinds,
        incidents=tuple(work.incidents),
        conversations=conversations,
        exchanges=exchanges,
        states=States(*(np.concatenate(columns) for columns in zip(*map(_columns, work.states), strict=True))),
        twin_of=scenario.twin_of,
        network=scenario.network,
        past=world.past.told if world.past else {},
        enlarged=scenario.enlarged,
        listeners=tuple(_later(one, scenario.start) for one in work.assembly.listeners),
    )
    timeline = dual_stacked(timeline) if scenario.network.dual else timeline
    return tunnelled(timeline, world.cast, phones[0], world.when) if scenario.phones.vpn else timeline


def _later(listener: Listener, shift: int) -> Listener:
    return replace(listener, time=listener.time + shift, until=listener.until + shift)


def _columns(states: States) -> tuple[np.ndarray[tuple[int], np.dtype[np.generic]], ...]:
    return tuple(vars(states).values())


def _compile_device(work: _Compilation, number: int) -> None:
    """Adds the phone of that number of the scenario."""
    world, scenario, here = work.world, work.world.scenario, number - work.first
    name, radio, plans = world.devices[number].name, world.radios[number], world.plans[number]
    order = generator(*world.key, name, "installation").permutation(len(plans))
    plans = [plans[index] for index in order]
    calendar, categories = world.calendar(number), [plan.category for plan in plans]
    rng = generator(*world.key, name, "day", *world.when)
    day = plan_day(rng, world.profile(number), categories, calendar.midnight, scenario.span, today=calendar.today)
    day = used_while_there(day, plans, scenario.span)
    work.netd[here] = len(work.apps)
    work.apps.append(App(here, "netd", "netd", "system", NETD_UID, True, (), "", 0))
    first = len(work.apps)
    work.apps += [_app(world, here, plan) for plan in plans]
    work.states.append(state_table(day, here, first, scenario.start, scenario.span))
    window = _window(day, radio, scenario.span, calendar)
    todo = list(tasks(world.key, name, plans, day, window, when=world.when))
    parts = planned(todo, radio)
    world.cast.foresee(key for each in parts for part in each for key in part.peers.values() if len(key) > 1)
    for task, each in zip(todo, parts, strict=True):
        _add_behaviour(work, task, first + task.position, each)


def _app(world: Fleet, device: int, plan: AppPlan) -> App:
    uid, agent, stack = world.looks[plan.package]
    return App(device, plan.package, plan.label, plan.category, uid, plan.sanctioned, plan.roles, agent, stack)


def _window(day: Day, radio: Radio, span: int, calendar: Calendar) -> Window:
    """What all apps of the phone may know."""
    asleep, maintenance, never = day.doze.asleep, day.doze.maintenance, day.uses[:0]
    intervals = (never, day.unlocked, day.screen_on, asleep, maintenance, day.charging, radio.wifi)
    return Window(span, *intervals, midnight=calendar.midnight, today=calendar.today)


def _add_behaviour(work: _Compilation, task: Task, app: int, parts: list[Part]) -> None:
    world, plan, behaviour = work.world, task.plan, task.behaviour
    contacts = sum(part.batch.contacts for part in parts)
    incident = -1
    if behaviour.label and not contacts and not world.when:
        work.faults.append(
            f"scenario {world.scenario.name}, seed {world.seed}: app '{plan.package}', behaviour '{behaviour.kind}': "
            f"no contact on {task.device} within the span of {task.window.span / SECOND:g} s, "
            "so there is nothing to detect"
        )
    elif behaviour.label and contacts:
        incident = len(work.incidents)
        work.incidents.append(_incident(work, task, app, contacts))
    row = work.apps[app]
    owner = Owner(app, work.netd[row.device], row.device, incident, work.world.kinds.index(behaviour.kind), row.stack)
    for part in parts:
        hosts = rows_of(work.world.cast, part.batch, part.zone, part.peers)
        work.assembly.add(part.rng, part.batch, owner, hosts, _customers((*task.key, *task.when), part.batch))


def _customers(key: tuple[object, ...], batch: Batch) -> Int64:
    """Which TLS client shapes the strangers have whose conversations an app passes on; nobody's if it has none."""
    if not len(batch.stack) or batch.stack.max() < 0:
        return np.zeros(1, dtype=np.int64)
    return generator(*key, "customers").permutation(client_pool_size())


def _incident(work: _Compilation, task: Task, app: int, contacts: int) -> Incident:
    device, plan, behaviour = task.device, task.plan, task.behaviour
    nth = task.key[-1]
    suffix = f"-{int(str(nth)) + 1}" if nth else ""
    return Incident(
        incident=f"{device}/{plan.package}/{behaviour.kind}{suffix}",
        analytic=behaviour.label,
        technique=TECHNIQUES[behaviour.label],
        behaviour=behaviour.kind,
        twin_of=work.world.scenario.twin_of,
        app=app,
        settings=asdict(behaviour.behaviour),  # type: ignore[call-overload]  # every behaviour is a dataclass
        contacts=contacts,
    )
