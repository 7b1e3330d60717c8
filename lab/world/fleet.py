"""The phones of a scenario and seed, before any is compiled: what all share, whose each is, its networks and apps.

Every draw is keyed by what it is for; those of the days before a scenario besides by EARLIER, where they are of a day.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from lab.authoring.background import background_apps
from lab.authoring.plans import AppPlan, Scenario
from lab.phones.calendar import DAY, Calendar
from lab.phones.profile import PROFILES, Profile, whereabouts
from lab.phones.radio import MOBILE, MOBILE_RTT_US, NETWORKS, Radio, steady, travelling
from lab.protocols.tls import client_pool_size
from lab.seeds import generator, generators
from lab.timeline import NAME_LOOKUP, Attachment, Device
from lab.world.cast import AGENTS, Cast
from lab.world.past import EARLIER, Past

FIRST_UID = 10_000  # AID_APP_START
UIDS = 400  # how many apps have had a uid on such a phone (our choice)


@dataclass(frozen=True)
class Fleet:
    """What all phones of a scenario and seed share, and what is known of each before any is compiled.

    ``when`` ends the keys of what is drawn of its days: nothing, or EARLIER.
    """

    scenario: Scenario
    seed: int
    key: tuple[object, ...]
    cast: Cast
    kinds: tuple[str, ...]
    looks: dict[str, tuple[int, str, int]]
    plans: list[list[AppPlan]]  # by phone, as are the rest
    radios: list[Radio]
    devices: tuple[Device, ...]
    when: tuple[str, ...] = ()
    past: Past | None = None

    @classmethod
    def of(cls, scenario: Scenario, seed: int) -> Fleet:
        """That of a scenario and seed."""
        key = (seed, scenario.name)
        cast, plans = Cast(key), _plans(key, scenario)
        every = {app.package: app for one in [scenario.apps, *plans] for app in one}
        kinds = (*sorted({row.kind for app in every.values() for row in app.behaviours}), NAME_LOOKUP)
        radios = [_radio(scenario, key, number) for number in range(scenario.devices)]
        devices = [_device(cast, number) for number in range(scenario.devices)]
        attached = _attached(scenario.start, cast, devices, radios)
        return cls(scenario, seed, key, cast, kinds, _looks(key, sorted(every)), plans, radios, attached)

    def before(self, past: Past) -> Fleet:
        """The same phones on the days before, with the apps that they had then; it has the same cast."""
        earlier = past.of(self.scenario)
        radios = [_radio(earlier, (*self.key, *EARLIER), number) for number in range(earlier.devices)]
        plain = [replace(device, attachments=()) for device in self.devices]
        names = [device.name for device in plain]
        return replace(
            self,
            scenario=earlier,
            plans=[
                past.apps(self.key, plans, name, earlier.alike) for plans, name in zip(self.plans, names, strict=True)
            ],
            radios=radios,
            devices=_attached(earlier.start, self.cast, plain, radios),
            when=EARLIER,
            past=past,
        )

    def profile(self, number: int) -> Profile:
        """Whose phone it is."""
        return _profile(self.scenario, number)

    def calendar(self, number: int) -> Calendar:
        """The dates where that phone is."""
        return _calendar(self.scenario, number)


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
