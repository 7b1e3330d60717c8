"""From a scenario and a seed to a timeline: phones get addresses and days, apps get uids, behaviours get to plan.

Every draw is keyed by what it is for (seed, scenario, device, package, kind), never by its place in the file.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

import numpy as np

from lab.assembly import Assembly, Owner
from lab.behaviours import SECOND, Batch, Int64, Window
from lab.cast import AGENTS, Cast, generator
from lab.errors import ScenarioError
from lab.phone import DAY, PROFILES, Day, plan_day
from lab.plans import TECHNIQUES, AppPlan, BehaviourPlan, Scenario
from lab.protocols.tls import client_pool_size
from lab.states import state_table
from lab.timeline import NAME_LOOKUP, App, Device, Incident, States, Timeline

NETD_UID = 1051  # AID_DNS, android_filesystem_config.h
FIRST_UID = 10_000  # AID_APP_START


@dataclass
class _Compilation:
    """What grows while devices are compiled one after the other."""

    scenario: Scenario
    key: tuple[object, ...]
    assembly: Assembly
    kinds: tuple[str, ...]
    uids: dict[str, int]
    apps: list[App] = field(default_factory=list)
    incidents: list[Incident] = field(default_factory=list)
    states: list[States] = field(default_factory=list)
    netd: dict[int, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


def compile_timeline(scenario: Scenario, seed: int) -> Timeline:
    """The timeline of that scenario and seed; ScenarioError for every labelled behaviour that makes no contact."""
    key = (seed, scenario.name)
    kinds = (*scenario.kinds, NAME_LOOKUP)
    work = _Compilation(scenario, key, Assembly(Cast(key)), kinds, _uids(key, scenario))
    devices = tuple(_device(work, number) for number in range(scenario.devices))
    installed = _installed(key, scenario)
    plans = sorted(scenario.apps, key=lambda app: app.package)  # the order in the file says nothing
    for number, device in enumerate(devices):
        _compile_device(work, number, device.name, [app for app in plans if number in installed[app.package]])
    if work.faults:
        raise ScenarioError(work.faults)
    device_of = np.array([app.device for app in work.apps], dtype=np.int64)
    work.assembly.look_up(work.netd, device_of, kinds.index(NAME_LOOKUP))
    conversations, exchanges = work.assembly.seal(scenario.start, device_of)
    shift = scenario.start
    return Timeline(
        scenario=scenario.name,
        scenario_sha256=scenario.sha256,
        seed=seed,
        start=shift,
        span=scenario.span,
        devices=devices,
        apps=tuple(work.apps),
        hosts=tuple(work.assembly.cast.hosts),
        speeches=tuple(work.assembly.speeches),
        behaviours=kinds,
        incidents=tuple(work.incidents),
        conversations=conversations,
        exchanges=exchanges,
        states=States(*(np.concatenate(columns) for columns in zip(*map(_columns, work.states), strict=True))),
        twin_of=scenario.twin_of,
        listeners=tuple(
            type(one)(one.app, one.port, one.time + shift, one.until + shift) for one in work.assembly.listeners
        ),
    )


def _columns(states: States) -> tuple[np.ndarray[tuple[int], np.dtype[np.generic]], ...]:
    return tuple(vars(states).values())


def _device(work: _Compilation, number: int) -> Device:
    rng = generator(*work.key, "device", number)
    mac, gateway = (
        ":".join(["02", *(f"{octet:02x}" for octet in generator(*work.key, "mac", who).integers(0, 256, 5))])
        for who in (number, "gateway")
    )
    downlink = int(rng.choice([20, 50, 100])) * 1_000_000
    return Device(f"phone-{number + 1:02d}", work.assembly.cast.device_address(number), mac, gateway, downlink)


def _uids(key: tuple[object, ...], scenario: Scenario) -> dict[str, int]:
    offsets = generator(*key, "uid").choice(400, size=len(scenario.apps), replace=False)
    packages = sorted(app.package for app in scenario.apps)
    return {package: FIRST_UID + 60 + int(offset) for package, offset in zip(packages, offsets, strict=True)}


def _installed(key: tuple[object, ...], scenario: Scenario) -> dict[str, frozenset[int]]:
    """On which devices each package is: ``on`` of them, drawn."""
    return {
        app.package: frozenset(generator(*key, "on", app.package).permutation(scenario.devices)[: app.on].tolist())
        for app in scenario.apps
    }


def _compile_device(work: _Compilation, number: int, name: str, plans: list[AppPlan]) -> None:
    scenario = work.scenario
    order = generator(*work.key, name, "installation").permutation(len(plans))
    plans = [plans[index] for index in order]
    midnight = -(scenario.start % DAY)
    rng = generator(*work.key, name, "day")
    day = plan_day(rng, PROFILES[scenario.profile], [plan.category for plan in plans], midnight, scenario.span)
    work.netd[number] = len(work.apps)
    work.apps.append(App(number, "netd", "netd", "system", NETD_UID, True, (), "", 0))
    first = len(work.apps)
    work.apps += [_app(work, number, plan) for plan in plans]
    work.states.append(state_table(day, number, first, scenario.start, scenario.span))
    for position, plan in enumerate(plans):
        window = _window(day, position, scenario.span, midnight)
        for place, behaviour in enumerate(plan.behaviours):
            nth = sum(other.kind == behaviour.kind for other in plan.behaviours[:place])
            _compile_behaviour(work, first + position, (name, plan, behaviour, nth), window)


def _app(work: _Compilation, device: int, plan: AppPlan) -> App:
    rng = generator(*work.key, "app", plan.package)
    agent, stack = AGENTS[int(rng.integers(0, len(AGENTS)))], int(rng.integers(0, client_pool_size()))
    uid = work.uids[plan.package]
    return App(device, plan.package, plan.label, plan.category, uid, plan.sanctioned, plan.roles, agent, stack)


def _window(day: Day, position: int, span: int, midnight: int) -> Window:
    mine = day.uses[day.front == position]
    asleep, maintenance = day.doze.asleep, day.doze.maintenance
    return Window(
        span, mine, day.unlocked, day.screen_on, asleep, maintenance, day.charging, day.wifi, midnight=midnight
    )


def _compile_behaviour(
    work: _Compilation, app: int, what: tuple[str, AppPlan, BehaviourPlan, int], window: Window
) -> None:
    device, plan, behaviour, nth = what
    key = (*work.key, device, plan.package, behaviour.kind, nth)
    rng = generator(*key)
    batch = behaviour.behaviour.plan(rng, window)
    incident = -1
    if behaviour.label and not batch.contacts:
        work.faults.append(
            f"scenario {work.scenario.name}, seed {work.key[0]}: app '{plan.package}', behaviour '{behaviour.kind}': "
            f"no contact on {device} within the span of {window.span / SECOND:g} s, so there is nothing to detect"
        )
    elif behaviour.label:
        incident = len(work.incidents)
        work.incidents.append(_incident(work, app, what, batch))
    row = work.apps[app]
    owner = Owner(app, work.netd[row.device], row.device, incident, work.kinds.index(behaviour.kind), row.stack)
    stacks = generator(*key, "customers").permutation(client_pool_size())
    work.assembly.add(generator(*key, "bytes"), batch, owner, _hosts(work, batch, device, plan.package, key), stacks)


def _incident(work: _Compilation, app: int, what: tuple[str, AppPlan, BehaviourPlan, int], batch: Batch) -> Incident:
    device, plan, behaviour, nth = what
    suffix = f"-{nth + 1}" if nth else ""
    return Incident(
        incident=f"{device}/{plan.package}/{behaviour.kind}{suffix}",
        analytic=behaviour.label,
        technique=TECHNIQUES[behaviour.label],
        behaviour=behaviour.kind,
        twin_of=work.scenario.twin_of,
        app=app,
        settings=asdict(behaviour.behaviour),  # type: ignore[call-overload]  # every behaviour is a dataclass
        contacts=batch.contacts,
    )


def _hosts(work: _Compilation, batch: Batch, device: str, package: str, key: tuple[object, ...]) -> Int64:
    """The rows of a batch's peers: popular ones drawn together, the others keyed by whom they belong to."""
    cast = work.assembly.cast
    kind, nth = key[-2:]
    popular = [place for place, peer in enumerate(batch.peers) if peer.reach == "popular"]
    rows = np.zeros(len(batch.peers), dtype=np.int64)
    rows[popular] = cast.popular(generator(*key, "popular"), len(popular))
    tail = [place for place, peer in enumerate(batch.peers) if peer.reach == "tail"]
    rows[tail] = cast.tail(generator(*key, "tail"), len(tail))
    for place, peer in enumerate(batch.peers):
        if peer.reach in {"vendor", "tenant"}:
            rows[place] = cast.host(peer.reach, package, kind, nth, place)
        elif peer.reach == "fresh":
            rows[place] = cast.host("fresh", f"{package}/{device}/{kind}/{nth}/{place}")
        elif peer.reach == "resolver":
            rows[place] = cast.zone(package)
        elif peer.reach == "literal":
            rows[place] = cast.host("literal", package, kind, nth, place)
        elif peer.reach == "group":
            rows[place] = cast.group(_first_protocol(batch, place))
        elif peer.reach in {"own", "lan"}:
            rows[place] = cast.host(peer.reach, f"{package}/{device}", kind, nth, place)
    return rows


def _first_protocol(batch: Batch, place: int) -> str:
    """What a batch speaks with its peer of that place; if nothing, its first protocol."""
    spoken = batch.speech[batch.peer == place]
    return batch.speeches[int(spoken[0]) if len(spoken) else 0].protocol
