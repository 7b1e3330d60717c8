"""From a scenario and a seed to a timeline: phones get addresses and days, apps get uids, behaviours get to plan.

Every draw is keyed by what it is for (seed, scenario, device, package, kind), never by its place in the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace

import numpy as np

from lab.authoring.background import background_apps
from lab.authoring.plans import TECHNIQUES, AppPlan, Scenario
from lab.behaviours import SECOND, Batch, Int64, Window
from lab.errors import ScenarioError
from lab.phones.calendar import DAY, Calendar
from lab.phones.phone import Day, plan_day
from lab.phones.profile import PROFILES, Profile, whereabouts
from lab.phones.radio import MOBILE, MOBILE_RTT_US, NETWORKS, Radio, steady, travelling
from lab.phones.states import state_table
from lab.protocols.tls import client_pool_size
from lab.seeds import generator, generators
from lab.timeline import NAME_LOOKUP, App, Attachment, Device, Incident, Listener, States, Timeline
from lab.world.assembly import Assembly, Owner
from lab.world.cast import AGENTS, Cast
from lab.world.dual_stack import dual_stacked
from lab.world.joining import joined
from lab.world.lives import used_while_there
from lab.world.peers import rows_of
from lab.world.planning import Part, Task, planned, tasks
from lab.world.resolving import Resolving
from lab.world.tunnel import tunnelled

NETD_UID = 1051  # AID_DNS, android_filesystem_config.h
FIRST_UID = 10_000  # AID_APP_START
BLOCK = 10  # phones compiled, and played, together: enough to share what a block costs, and days of them fit in memory
UIDS = 400  # how many apps have had a uid on such a phone (our choice)


@dataclass(frozen=True)
class _World:
    """What all phones of a scenario and seed share, and what is known of each before any is compiled."""

    scenario: Scenario
    seed: int
    key: tuple[object, ...]
    cast: Cast
    kinds: tuple[str, ...]
    looks: dict[str, tuple[int, str, int]]
    plans: list[list[AppPlan]]  # by phone, as are the rest
    radios: list[Radio]
    devices: tuple[Device, ...]

    @classmethod
    def of(cls, scenario: Scenario, seed: int) -> _World:
        """That of a scenario and seed."""
        key = (seed, scenario.name)
        cast, plans = Cast(key), _plans(key, scenario)
        every = {app.package: app for one in [scenario.apps, *plans] for app in one}
        kinds = (*sorted({row.kind for app in every.values() for row in app.behaviours}), NAME_LOOKUP)
        radios = [_radio(scenario, key, number) for number in range(scenario.devices)]
        devices = [_device(cast, number) for number in range(scenario.devices)]
        attached = _attached(scenario.start, cast, devices, radios)
        return cls(scenario, seed, key, cast, kinds, _looks(key, sorted(every)), plans, radios, attached)


@dataclass
class _Compilation:
    """What grows while the phones of a block are compiled one after the other; they are counted from its first."""

    world: _World
    first: int
    assembly: Assembly
    apps: list[App] = field(default_factory=list)
    incidents: list[Incident] = field(default_factory=list)
    states: list[States] = field(default_factory=list)
    netd: dict[int, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


def compile_timeline(scenario: Scenario, seed: int) -> Timeline:
    """The timeline of that scenario and seed; ScenarioError for every labelled behaviour that makes no contact."""
    return joined(list(compile_blocks(scenario, seed)))


def compile_blocks(scenario: Scenario, seed: int) -> Iterator[Timeline]:
    """The timeline, BLOCK phones at a time: memory holds one block and the names and addresses given so far.

    ScenarioError, when their block is reached, for all its labelled behaviours that make no contact.
    """
    world = _World.of(scenario, seed)
    for first in range(0, scenario.devices, BLOCK):
        yield _block(world, range(first, min(first + BLOCK, scenario.devices)))


def _block(world: _World, phones: range) -> Timeline:
    scenario = world.scenario
    work = _Compilation(world, phones[0], Assembly(world.cast, phones[0]))
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
        listeners=tuple(_later(one, scenario.start) for one in work.assembly.listeners),
    )
    timeline = dual_stacked(timeline) if scenario.network.dual else timeline
    return tunnelled(timeline, world.cast, phones[0]) if scenario.phones.vpn else timeline


def _later(listener: Listener, shift: int) -> Listener:
    return replace(listener, time=listener.time + shift, until=listener.until + shift)


def _columns(states: States) -> tuple[np.ndarray[tuple[int], np.dtype[np.generic]], ...]:
    return tuple(vars(states).values())


def _device(cast: Cast, number: int) -> Device:
    rng = generator(*cast.key, "device", number)
    mac, gateway = (
        ":".join(["02", *(f"{octet:02x}" for octet in generator(*cast.key, "mac", who).integers(0, 256, 5))])
        for who in (number, "gateway")
    )
    downlink = int(rng.choice([20, 50, 100])) * 1_000_000
    return Device(f"phone-{number + 1:02d}", cast.device_address(number), mac, gateway, downlink)


def _profile(scenario: Scenario, number: int) -> Profile:
    """Whose phone it is: the profiles in turns."""
    names = scenario.phones.profiles
    return PROFILES[names[number % len(names)]]


def _radio(scenario: Scenario, key: tuple[object, ...], number: int) -> Radio:
    if scenario.phones.networks != "roaming":
        return steady(MOBILE if scenario.phones.networks == "mobile" else 0, scenario.span)
    rng, calendar = generator(*key, "radio", number), _calendar(scenario, number)
    places = whereabouts(_profile(scenario, number), calendar.today)
    return travelling(rng, places, calendar.midnight, scenario.span)


def _calendar(scenario: Scenario, number: int) -> Calendar:
    """The dates where that phone is: the offsets in turns."""
    offsets = scenario.phones.offsets
    date, into = divmod(scenario.start + offsets[number % len(offsets)], DAY)
    return Calendar(-into, date)


def _attached(start: int, cast: Cast, devices: list[Device], radios: list[Radio]) -> tuple[Device, ...]:
    """The devices with an address of their own on each network they meet; at home it is the one they have."""
    made = []
    for number, (device, radio) in enumerate(zip(devices, radios, strict=True)):
        met = [NETWORKS[row] for row in sorted(set(radio.network.tolist()))]
        if met == ["home"]:
            made.append(device)
            continue
        known = {name: device.address if name == "home" else cast.device_address(number, name) for name in met}
        attachments = tuple(
            Attachment(
                since=start + since,
                network=NETWORKS[row],
                address=known[NETWORKS[row]],
                rtt_us=MOBILE_RTT_US if row == MOBILE else 0,
            )
            for since, row in zip(radio.since.tolist(), radio.network.tolist(), strict=True)
        )
        made.append(replace(device, attachments=attachments))
    return tuple(made)


def _looks(key: tuple[object, ...], packages: list[str]) -> dict[str, tuple[int, str, int]]:
    """What each package looks like from outside, on every phone: its uid, user agent and TLS client shape."""
    offsets = generator(*key, "uid").choice(max(UIDS, len(packages)), size=len(packages), replace=False).tolist()
    found = {}
    for package, offset, rng in zip(packages, offsets, generators((*key, "app", one) for one in packages), strict=True):
        agent = AGENTS[int(rng.integers(0, len(AGENTS)))]
        found[package] = (FIRST_UID + 60 + offset, agent, int(rng.integers(0, client_pool_size())))
    return found


def _plans(key: tuple[object, ...], scenario: Scenario) -> list[list[AppPlan]]:
    """The apps of each device by package, for their order in the file says nothing: its own and the background's."""
    own = frozenset(app.package for app in scenario.apps)
    found = background_apps(key, scenario.background, own, scenario.devices, scenario.span)
    for app in scenario.apps:
        for device in generator(*key, "on", app.package).permutation(scenario.devices)[: app.on].tolist():
            found[device].append(app)
    return [sorted(apps, key=lambda app: app.package) for apps in found]


def _compile_device(work: _Compilation, number: int) -> None:
    """Adds the phone of that number of the scenario."""
    world, scenario, here = work.world, work.world.scenario, number - work.first
    name, radio, plans = world.devices[number].name, world.radios[number], world.plans[number]
    order = generator(*world.key, name, "installation").permutation(len(plans))
    plans = [plans[index] for index in order]
    calendar = _calendar(scenario, number)
    rng = generator(*world.key, name, "day")
    owner, categories = _profile(scenario, number), [plan.category for plan in plans]
    day = plan_day(rng, owner, categories, calendar.midnight, scenario.span, today=calendar.today)
    day = used_while_there(day, plans, scenario.span)
    work.netd[here] = len(work.apps)
    work.apps.append(App(here, "netd", "netd", "system", NETD_UID, True, (), "", 0))
    first = len(work.apps)
    work.apps += [_app(world, here, plan) for plan in plans]
    work.states.append(state_table(day, here, first, scenario.start, scenario.span))
    window = _window(day, radio, scenario.span, calendar)
    todo = list(tasks(world.key, name, plans, day, window))
    parts = planned(todo, radio)
    world.cast.foresee(key for each in parts for part in each for key in part.peers.values() if len(key) > 1)
    for task, each in zip(todo, parts, strict=True):
        _add_behaviour(work, task, first + task.position, each)


def _app(world: _World, device: int, plan: AppPlan) -> App:
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
    if behaviour.label and not contacts:
        work.faults.append(
            f"scenario {world.scenario.name}, seed {world.seed}: app '{plan.package}', behaviour '{behaviour.kind}': "
            f"no contact on {task.device} within the span of {task.window.span / SECOND:g} s, "
            "so there is nothing to detect"
        )
    elif behaviour.label:
        incident = len(work.incidents)
        work.incidents.append(_incident(work, task, app, contacts))
    row = work.apps[app]
    owner = Owner(app, work.netd[row.device], row.device, incident, work.world.kinds.index(behaviour.kind), row.stack)
    for part in parts:
        hosts = rows_of(work.world.cast, part.batch, part.zone, part.peers)
        work.assembly.add(part.rng, part.batch, owner, hosts, _customers(task.key, part.batch))


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
