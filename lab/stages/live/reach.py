"""Sockets on phones, opened under an app's uid through adb: the only way the orchestrator reaches the lab's network."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from lab.devices.capabilities import Capabilities
from lab.devices.netcat import connect_command, listen_command
from lab.devices.phone import Phone
from lab.devices.stream import open_stream
from lab.stages.live.casting import Relay
from lab.stages.live.local_ports import LocalPorts
from lab.stages.live.script import Script
from lab.timeline import Timeline

IDLE_S = 86_400  # a phone's nc gives up on a silent conversation then, if nobody else has ended it
#: Seconds of a processor that a program with datagrams may take. toybox 0.8.9 does not read the ICMP error of its
#: socket, is woken by it for ever and never ends: each such takes a processor from the run, and from all after it.
CPU_S, LOOK_UP_CPU_S = 10, 1

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True)
class Reach:
    """The phones of a run and what each can do, by the device's index."""

    timeline: Timeline
    phones: Mapping[int, Phone]
    abilities: Mapping[int, Capabilities]
    ports: LocalPorts = field(default_factory=LocalPorts)

    async def connect(self, script: Script) -> Streams:
        """To the script's server, as its app; DeviceError if the phone cannot."""
        abilities, udp = self.abilities[script.device], script.transport == "udp"
        package = self._package(script.device, script.uid)
        command = connect_command(abilities, script.uid, package, *script.server, udp=udp, idle_s=IDLE_S)
        if udp and abilities.netcat and "p" in abilities.netcat:
            cpu_s = LOOK_UP_CPU_S if script.protocol == "dns" else CPU_S
            command = _from_port(command, self.ports.take(script.device), cpu_s)
        return await self._stream(script.device, command)

    async def listen(self, relay: Relay, wait_s: int) -> Streams:
        """On the listener's port, as its app, for one connection within so many seconds."""
        package, abilities = self._package(relay.device, relay.uid), self.abilities[relay.device]
        command = listen_command(abilities, relay.uid, package, relay.port, wait_s=wait_s, idle_s=IDLE_S)
        return await self._stream(relay.device, command)

    async def _stream(self, device: int, command: str) -> Streams:
        phone = self.phones[device]
        return await open_stream(phone.server, phone.serial, command)

    def _package(self, device: int, uid: int) -> str:
        return next(app.package for app in self.timeline.apps if (app.device, app.uid) == (device, uid))


def _from_port(command: str, port: int, cpu_s: int) -> str:
    """The command of a program with datagrams, from a port that is its alone and with an end to what it may take."""
    return f"ulimit -t {cpu_s}; " + command.replace("toybox nc -u ", f"toybox nc -u -p {port} ", 1)
