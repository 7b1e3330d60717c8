"""The accept loops: every port of the plan on every address, each connection handed to whom it concerns."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import ssl
from collections.abc import Coroutine
from typing import Any

from lab.stages.live.servers.image.actors import Stage
from lab.stages.live.servers.image.authority import Authority
from lab.stages.live.servers.image.claims import Claims
from lab.stages.live.servers.image.contexts import Contexts
from lab.stages.live.servers.image.daemons import Daemons
from lab.stages.live.servers.image.datagrams import IP_FREEBIND, DatagramLine, Datagrams
from lab.stages.live.servers.image.front import RESET, Front
from lab.stages.live.servers.image.names import NameServer
from lab.stages.live.servers.image.plan import Endpoint, Service
from lab.stages.live.servers.image.relay import Relay

_EVERY = "0.0.0.0"  # noqa: S104 - every address is ours here: the container is the internet
_BACKLOG = 1024
_HANDSHAKE_S = 15.0
_DNS = 53


class Listening:
    """Everything that listens for one plan; ``serve`` starts it, ``close`` ends it and whatever it began."""

    def __init__(self, stage: Stage, claims: Claims, daemons: Daemons) -> None:
        self._stage, self._claims, self._daemons = stage, claims, daemons
        self._contexts = Contexts(stage.plan.pki)
        self._authority = Authority(stage.plan.zone, stage.ledger)
        self._tasks: set[asyncio.Task[None]] = set()
        self._sockets: list[socket.socket] = []
        self._udp: dict[tuple[Endpoint, Endpoint], Front] = {}  # by (peer, local)
        self._datagrams: list[Datagrams] = []
        self._fronts: set[Front] = set()

    def serve(self) -> None:
        """Binds every (port, transport) of the plan but where daemons listen; OSError if one cannot be bound."""
        services = self._stage.plan.services
        places = {place for place, service in services.items() if not self._daemons.listens(service)}
        if len(self._authority):
            heads = self._stage.plan.heads.values()
            places |= {(*head.server, head.transport) for head in heads if head.protocol == "dns"}
            places |= {(_EVERY, _DNS, transport) for transport in ("udp", "tcp")}
        for port, transport in sorted({place[1:] for place in places}):
            self._bind(port, transport, sorted(place[0] for place in places if place[1:] == (port, transport)))

    def _bind(self, port: int, transport: str, addresses: list[str]) -> None:
        """On every address at once; where something else holds the port, on each address of the plan."""
        open_one = self._listen if transport == "tcp" else self._receive
        try:
            open_one(_EVERY, port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            for address in addresses:
                open_one(address, port)

    def _listen(self, address: str, port: int) -> None:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            listener.setblocking(False)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.setsockopt(socket.IPPROTO_IP, IP_FREEBIND, 1)
            listener.bind((address, port))
            listener.listen(_BACKLOG)
        except OSError:
            listener.close()
            raise
        self._sockets.append(listener)
        self._start(self._accept(listener))

    def _receive(self, address: str, port: int) -> None:
        self._datagrams.append(Datagrams(address, port, self._arrived))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                accepted, peer = await loop.sock_accept(listener)
            except OSError:  # out of files, or the client was gone before we looked
                await asyncio.sleep(0.05)
                continue
            accepted.setblocking(False)
            self._start(self._greet(accepted, (str(peer[0]), int(peer[1]))))

    async def _greet(self, accepted: socket.socket, peer: Endpoint) -> None:
        local = _local(accepted)
        service = self._stage.plan.services.get((*local, "tcp"))
        if service is None and not self._answers_names(local):
            self._stage.ledger.strays["no service"] += 1
            accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            accepted.close()
            return
        context = self._contexts.at(local[0], service.alpn) if service and service.tls else None
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: self._protocol(service, peer, local),
                accepted,
                ssl=context,
                ssl_handshake_timeout=_HANDSHAKE_S if context else None,
            )
        except (OSError, ssl.SSLError, TimeoutError):
            self._stage.ledger.strays["tls"] += 1

    def _answers_names(self, local: Endpoint) -> bool:
        return bool(len(self._authority)) and local[1] == _DNS

    def _protocol(self, service: Service | None, peer: Endpoint, local: Endpoint) -> asyncio.Protocol:
        if service is None:
            return NameServer(self._authority)

        def ended(front: Front) -> None:
            self._claims.over("tcp", peer, local, front.n)
            self._fronts.discard(front)

        return Front(lambda front: self._start(self._claim(front, "tcp", service, peer, local)), ended)

    async def _claim(
        self, front: Front, transport: str, service: Service | None, peer: Endpoint, local: Endpoint
    ) -> None:
        self._fronts.add(front)
        if service and (beyond := self._daemons.behind(service.protocol)):
            front.hand_to(Relay(beyond), self._stage.ledger.nobody)
            return
        n = await self._claims.conversation(transport, peer, local, self._stage.current)
        front.n = n
        if n is not None:
            try:
                script = self._stage.plan.script(n)
                front.hand_to(self._stage.actor(script, front.arrivals), self._stage.ledger.entry(n))
            except Exception as error:  # noqa: BLE001 - a conversation never ends the process
                self._stage.ledger.entry(n).fault(f"{type(error).__name__}: {error}")
                front.refuse()
            return
        inner = self._stage.unclaimed(service)
        if inner is None:
            front.refuse()
        else:
            front.hand_to(inner, self._stage.ledger.nobody)

    def _arrived(self, through: Datagrams, data: bytes, peer: Endpoint, local: Endpoint) -> None:
        """A datagram: a question for the authority, or a part of a conversation."""
        service = self._stage.plan.services.get((*local, "udp"))
        if service is None:
            if answer := self._authority.answer(data):
                later = asyncio.get_running_loop().call_later
                later(answer.delay_us / 1e6, through.send, answer.data, local, peer)
            return
        key = (peer, local)
        front = self._udp.get(key)
        if front is None or front.over:
            front = self._udp[key] = self._session(through, service, peer, local)
        front.data_received(data)

    def _session(self, through: Datagrams, service: Service, peer: Endpoint, local: Endpoint) -> Front:
        def ended(front: Front) -> None:
            if self._udp.get((peer, local)) is front:
                del self._udp[peer, local]
                self._claims.over("udp", peer, local, front.n)
            self._fronts.discard(front)

        begun = lambda front: self._start(self._claim(front, "udp", service, peer, local))  # noqa: E731 - one line
        front = Front(begun, ended)
        DatagramLine(through, local, peer, front)
        return front

    async def close(self) -> None:
        """Stops listening, resets what is open."""
        for one in self._datagrams:
            one.close()
        for front in list(self._fronts):
            front.refuse()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for listener in self._sockets:
            with contextlib.suppress(OSError):
                listener.close()


def _local(accepted: socket.socket) -> Endpoint:
    address, port = accepted.getsockname()[:2]
    return str(address), int(port)
