"""The container's process: control verbs on one side, the plan's servers or strangers on the other."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from lab.stages.live.control_server import serve
from lab.stages.live.servers.image.actors import Stage
from lab.stages.live.servers.image.claims import Claims
from lab.stages.live.servers.image.daemons import Daemons
from lab.stages.live.servers.image.datagrams import Datagrams
from lab.stages.live.servers.image.listening import Listening
from lab.stages.live.servers.image.plan import Endpoint, Plan
from lab.stages.live.servers.image.strangers import Strangers

PLANS = Path("/plan")
WHO_PORT = 9100  # mitmproxy's addon says here whose an upstream connection is


class House:
    """What one container does, run after run; ``role`` is servers or strangers."""

    def __init__(self, role: str, gateway: str, plans: Path = PLANS) -> None:
        self._role, self._gateway, self._plans = role, gateway, plans
        self._claims = Claims(gateway)
        self._daemons = Daemons()
        self._stage: Stage | None = None
        self._listening: Listening | None = None
        self._strangers: Strangers | None = None

    async def plan(self, request: dict[str, Any]) -> dict[str, Any]:
        """{folder}: ends what runs, reads the plan, listens."""
        await self.finish({})
        folder = self._plans / str(request["folder"])
        if not folder.resolve().is_relative_to(self._plans.resolve()):
            raise ValueError(f"{request['folder']}: is not under {self._plans}")
        self._stage = Stage(Plan(folder))
        self._claims = Claims(self._gateway)
        if self._role == "strangers":
            self._strangers = Strangers(self._stage)
            return {"conversations": len(self._stage.plan.heads)}
        started = await self._daemons.start(self._stage.plan.services)
        self._stage.prepare()
        self._stage.post = self._daemons.post()
        self._listening = Listening(self._stage, self._claims, self._daemons)
        self._listening.serve()
        return {"conversations": len(self._stage.plan.heads), "daemons": started}

    async def start(self, request: dict[str, Any]) -> dict[str, Any]:
        """{epoch_us}: the clock runs."""
        self._planned().clock.start(int(request["epoch_us"]))
        if self._strangers:
            self._strangers.start()
        return {}

    async def client(self, request: dict[str, Any]) -> dict[str, Any]:
        """{n, client: [address, port]}: who holds conversation n."""
        n = int(request["n"])
        head = self._planned().plan.heads[n]
        self._claims.client(n, head.transport, _endpoint(request["client"]), head.server)
        return {}

    async def report(self, _: dict[str, Any]) -> dict[str, Any]:
        """What became of each conversation so far."""
        found = self._planned().ledger.report()
        return {**found, **await self.dialled({}), "daemons": await self._daemons.health()}

    async def dialled(self, _: dict[str, Any]) -> dict[str, Any]:
        """From where the strangers have dialled."""
        found = self._strangers.dialled if self._strangers else {}
        return {"dialled": {str(n): list(place) for n, place in found.items()}}

    async def finish(self, _: dict[str, Any]) -> dict[str, Any]:
        """Ends all conversations and stops listening; a second time is nothing."""
        for part in (self._listening, self._strangers, self._daemons):
            if part:
                await part.close()
        self._listening = self._strangers = self._stage = None
        return {}

    def behind(self, data: bytes, peer: Endpoint) -> None:
        """A datagram of the gateway: {"upstream", "server", "client", "proto"}; anybody else's is dropped."""
        if peer[0] != self._gateway:
            return
        try:
            said = json.loads(data)
            self._claims.behind(str(said["proto"]), *(_endpoint(said[end]) for end in ("upstream", "server", "client")))
        except (ValueError, LookupError, TypeError) as error:
            if self._stage:
                self._stage.ledger.strays[f"who: {type(error).__name__}"] += 1

    def _planned(self) -> Stage:
        if self._stage is None:
            raise LookupError("no plan yet")
        return self._stage


def _endpoint(pair: Any) -> Endpoint:
    address, port = pair
    return str(address), int(port)


async def run(arguments: argparse.Namespace) -> None:
    """Serves until the container is stopped."""
    house = House(arguments.role, arguments.gateway, arguments.plans)
    asyncio.get_running_loop().set_exception_handler(_noted)
    verbs = ("plan", "start", "client", "report", "dialled", "finish")
    control = await serve(
        arguments.address, arguments.port, {verb: getattr(house, verb) for verb in verbs}, only=arguments.host
    )
    if arguments.role == "servers":
        Datagrams("0.0.0.0", WHO_PORT, lambda _through, data, peer, _local: house.behind(data, peer))  # noqa: S104 - inet0 comes later
    await control.serve_forever()


def _noted(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """One line per error that a library left to the loop."""
    sys.stderr.write(f"{context.get('message')}: {context.get('exception')!r}\n")


def main() -> None:
    """The command line of the container."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--role", choices=("servers", "strangers"), required=True)
    parser.add_argument("--address", required=True, help="where the control port listens")
    parser.add_argument("--port", type=int, default=9000)
    parser.add_argument("--host", help="the only peer of the control port")
    parser.add_argument("--gateway", required=True, help="where mitmproxy's connections come from")
    parser.add_argument("--plans", type=Path, default=PLANS)
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
