"""The proxies on phones: started under their app's uid when the timeline says they listen, ended when it says so."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from lab.stages.live.casting import Relay
from lab.stages.live.handset.handset import Kind, relay_start_command, relay_stop_command
from lab.stages.live.pace import Tempo

EARLY_US = 300_000  # before the first stranger: starting one takes a tenth of a second
LATE_US = 500_000  # after the last stranger's farewell


class Shell(Protocol):
    """The part of lab.devices.Phone that is needed here; its calls block."""

    def shell(self, words: str, timeout_s: float = 10.0) -> str:
        """A command's output; raises if it fails."""
        ...


@dataclass
class Proxies:
    """All proxies of a run; ``faults`` says which could not be started or ended."""

    phones: Mapping[int, Shell]
    relays: Sequence[Relay]
    tempo: Tempo
    faults: list[str] = field(default_factory=list)

    async def run(self) -> None:
        """Each for its time; cancelled, those that run are left to the phone's next provisioning."""
        async with asyncio.TaskGroup() as tasks:
            for relay in self.relays:
                if relay.kind:
                    tasks.create_task(self._relay(relay, relay.kind))

    async def _relay(self, relay: Relay, kind: Kind) -> None:
        await asyncio.sleep(max(0.0, (self.tempo.wall(relay.time) - EARLY_US) / 1e6 - time.time()))
        if await self._shell(relay, relay_start_command(kind, relay.uid, relay.port)):
            last = self.tempo.epoch_us + relay.last_us + LATE_US
            await asyncio.sleep(max(0.0, max(self.tempo.wall(relay.until), last) / 1e6 - time.time()))
            await self._shell(relay, relay_stop_command(relay.port))

    async def _shell(self, relay: Relay, command: str) -> bool:
        try:
            await asyncio.to_thread(self.phones[relay.device].shell, command)
        except (OSError, RuntimeError, ValueError) as fault:
            self.faults.append(f"proxy of uid {relay.uid} on port {relay.port}: {fault}")
            return False
        return True
