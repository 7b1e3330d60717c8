"""Who plays which protocol: real server software where there is some, the scripted server for the rest.

The real ones need the libraries of the image and are imported when first needed.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from importlib import import_module

from lab.stages.live.servers.image.clock import Clock
from lab.stages.live.servers.image.imap import ImapVoice, Post
from lab.stages.live.servers.image.ledger import Ledger
from lab.stages.live.servers.image.part import Arrivals, Part
from lab.stages.live.servers.image.plan import Plan, Script, Service
from lab.stages.live.servers.image.talk import Talk
from lab.stages.live.servers.image.voices import Plain, Voice
from lab.stages.live.servers.image.websocket import WebSocketVoice

_WEB = frozenset({"http", "websocket"})


@dataclass
class Stage:
    """All that is needed to play the conversations of one plan."""

    plan: Plan
    clock: Clock = field(default_factory=Clock)
    ledger: Ledger = field(default_factory=Ledger)
    post: Post | None = None  # dovecot, if the plan has mail to be read

    def actor(self, script: Script, arrivals: Arrivals) -> asyncio.Protocol:
        """The server's side of a claimed connection."""
        entry = self.ledger.entry(script.n)
        entry.connected = True
        part = Part(self.plan, script, entry, arrivals, self.clock)
        real = {"http": _web, "smtp": _mail}.get(script.protocol)
        if real:
            return real(part)
        return Talk(part, self._voice(part))

    def _voice(self, part: Part) -> Voice:
        if part.script.protocol == "websocket":
            return WebSocketVoice()
        if part.script.protocol == "imap" and self.post:
            return ImapVoice(part, self.post, self.ledger.strays)
        return Plain(turn.size for turn in part.script.turns if turn.from_client)

    def prepare(self) -> None:
        """Imports what the plan's services need, so that no answer waits for it."""
        protocols = {service.protocol for service in self.plan.services.values()}
        if protocols & _WEB:
            import_module(f"{__package__}.web")
        if "smtp" in protocols:
            import_module(f"{__package__}.mail")

    def unclaimed(self, service: Service | None) -> asyncio.Protocol | None:
        """What an unclaimed connection gets: 404 from a web server, None (a reset) from the others."""
        self.ledger.strays["unclaimed"] += 1
        if service is None or service.protocol not in _WEB:
            return None
        return _web(None)

    def current(self, n: int) -> bool:
        """Whether conversation n may (still) have a connection: not after its end if it has had one."""
        head = self.plan.heads.get(n)
        return head is not None and not (self.ledger.connected(n) and self.clock.real_us() > head.close_us)


def _web(part: Part | None) -> asyncio.Protocol:
    from lab.stages.live.servers.image import web

    return web.connection(part)


def _mail(part: Part) -> asyncio.Protocol:
    from lab.stages.live.servers.image import mail

    return mail.Submission(part)
