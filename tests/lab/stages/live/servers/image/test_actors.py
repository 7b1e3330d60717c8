"""Each protocol has its actor; an old conversation may have no new connection."""

from __future__ import annotations

import asyncio
import time

from lab.stages.live.servers.image.actors import Stage
from lab.stages.live.servers.image.part import Arrivals
from lab.stages.live.servers.image.plan import Service
from lab.stages.live.servers.image.talk import Talk
from lab.stages.live.servers.image.voices import Plain
from lab.stages.live.servers.image.websocket import WebSocketVoice

ROWS = ((0, 300, 500, 0),)


def test_scripted_protocols_and_their_voices(plans, plan_of):
    stage = Stage(
        plan_of(*(plans.Talk(n, p, (f"198.18.0.{n}", 1), ROWS) for n, p in enumerate(("websocket", "mux", "imap"))))
    )
    actors = [stage.actor(stage.plan.script(n), Arrivals(0, 0)) for n in range(3)]
    assert [type(actor) for actor in actors] == [Talk] * 3
    assert [type(actor._voice) for actor in actors] == [WebSocketVoice, Plain, Plain]
    assert all(stage.ledger.connected(n) for n in range(3))


def test_the_unclaimed_are_counted_and_reset_where_no_web_server_is(plans, plan_of):
    stage = Stage(plan_of())
    assert stage.unclaimed(Service("opaque", False, ())) is None
    assert stage.unclaimed(None) is None
    assert stage.ledger.strays["unclaimed"] == 2


def test_current(plans, plan_of):
    async def run():
        stage = Stage(plan_of(plans.Talk(0, "opaque", ("198.18.0.1", 1), ROWS, close_us=1_000_000)))
        found = [stage.current(0), stage.current(1)]
        stage.clock.start(int(time.time() * 1e6) - 2_000_000)
        found.append(stage.current(0))  # late, but it has not been there
        stage.ledger.entry(0).connected = True
        return [*found, stage.current(0)]

    assert asyncio.run(run()) == [True, False, True, False]


def test_nothing_is_imported_that_no_service_needs(plan_of):
    Stage(plan_of()).prepare()
