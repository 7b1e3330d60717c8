"""A lab made ready for one timeline: addresses, names and apps of its devices, on phones that adb has reached."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from lab.devices.adb import AdbServer
from lab.devices.capabilities import Capabilities
from lab.devices.phone import Phone
from lab.stages.live.casting import names_of
from lab.stages.live.handset.handset import provision_command, write_hosts
from lab.stages.live.livelab import Handset, LiveLab
from lab.stages.live.plan import neighbours, strangers
from lab.stages.live.script import Script
from lab.stages.live.topology.image.rules import ADB_PORT
from lab.stages.live.topology.namespaces import set_up, start_sensor
from lab.stages.live.wiring import answering_spec, gateway_spec, handset_name, handset_spec
from lab.timeline import Timeline

_AT_ONCE = 4
_READY_S = 60.0


@dataclass(frozen=True)
class Ready:
    """The phones and sensors of a run, by the device's index, and what is installed on each."""

    phones: dict[int, Phone]
    abilities: dict[int, Capabilities]
    sensors: dict[int, Any]
    installed: dict[str, list[tuple[str, int]]]


def provision(lab: LiveLab, timeline: Timeline, scripts: Sequence[Script], server: AdbServer) -> Ready:
    """Readies the lab's first handsets as the timeline's devices. StageError or DeviceError names what failed."""
    beside, incoming = neighbours(scripts), strangers(scripts)
    names = names_of(scripts)
    made = Ready({}, {}, {}, {})
    devices = list(zip(lab.handsets, range(len(timeline.devices)), strict=False))
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        wired = [pool.submit(_wired, lab, role, beside, incoming) for role in ("servers", "strangers")]
        phones = [(index, pool.submit(_phone, lab, handset, timeline, names, server)) for handset, index in devices]
        for index, phone in phones:
            made.phones[index], made.sensors[index] = phone.result()
            made.abilities[index] = made.phones[index].capabilities(sidecar=True)
            made.installed[timeline.devices[index].name] = made.phones[index].inventory()
        for one in wired:
            one.result()
        _wired(lab, "gateway", beside, incoming)  # last: it then asks where the devices are now
    return made


def _wired(lab: LiveLab, role: str, beside: Sequence[str], incoming: Sequence[str]) -> None:
    if role == "gateway":
        spec = gateway_spec(lab.subnet, len(lab.handsets), neighbours=beside, incoming=incoming)
    else:
        spec = answering_spec(lab.subnet, role, neighbours=beside, incoming=incoming)
    set_up(lab.engine, lab.session, lab.containers[role], role, spec)


def _phone(
    lab: LiveLab, handset: Handset, timeline: Timeline, names: dict[str, str], server: AdbServer
) -> tuple[Phone, Any]:
    device = timeline.devices[handset.index]
    write_hosts(lab.session.folder / handset.hosts, names)
    sensor = _fresh_sensor(lab, handset, handset_spec(lab.subnet, handset.index, device.address, device.mac))
    phone = Phone(server.address, server.connect(f"{handset.underlay}:{ADB_PORT}"))
    phone.wait_ready(_READY_S)
    phone.shell(provision_command(app for app in timeline.apps if app.device == handset.index))
    return phone, sensor


def _fresh_sensor(lab: LiveLab, handset: Handset, spec: Any) -> Any:
    """A sensor that begins now: one that has ended, or has an earlier run's events, is replaced."""
    name = handset_name(handset.index)
    for container in lab.engine.containers(lab.session):
        if container.name == lab.session.full_name(f"sensor-{name}"):
            lab.engine.remove(container)
    return start_sensor(lab.engine, lab.session, handset.container, name, spec)
