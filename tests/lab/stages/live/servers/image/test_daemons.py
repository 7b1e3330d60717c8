"""Daemons start once per kind, are waited for, watched and ended; their own settings are complete."""

from __future__ import annotations

import asyncio
import sys

import pytest

from lab.stages.live.servers.image.daemons import DOVECOT, KINDS, Daemon, Daemons
from lab.stages.live.servers.image.plan import Service
from lab.stages.live.servers.image.probes import socks_greets

GREETS = "import socket,sys;s=socket.create_server(('127.0.0.1',int(sys.argv[1])))\nwhile 1:c=s.accept()[0];c.send(b'\\5\\0');c.close()"


def greeter(_, place):
    return [sys.executable, "-c", GREETS, str(place[1])]


def test_started_once_and_ended(tmp_path):
    services = {
        ("198.18.0.1", 1080, "tcp"): Service("peer", False, ()),
        ("198.18.0.2", 1081, "tcp"): Service("peer", False, ()),
    }

    async def run():
        daemons = Daemons(tmp_path / "work", {"peer": Daemon(greeter, socks_greets)})
        assert await daemons.start({**services, ("198.18.0.3", 80, "tcp"): Service("http", False, ())}) == ["peer"]
        place, health = daemons.behind("peer"), await daemons.health()
        assert daemons.behind("http") is None
        assert len(daemons._running) == 1
        next(iter(daemons._running.values())).process.kill()
        await next(iter(daemons._running.values())).process.wait()
        dead = await daemons.health()
        await daemons.close()
        await daemons.close()
        return place[0], health, dead, (tmp_path / "work").exists()

    assert asyncio.run(run()) == ("127.0.0.1", {"peer": True}, {"peer": False}, False)


def test_one_that_ends_at_once_is_named_with_its_words(tmp_path):
    async def run():
        broken = Daemon(lambda *_: [sys.executable, "-c", "raise SystemExit('no config')"], socks_greets)
        daemons = Daemons(tmp_path, {"peer": broken})
        try:
            with pytest.raises(OSError, match=r"peer: .*no config"):
                await daemons.start({("198.18.0.1", 1, "tcp"): Service("peer", False, ())})
        finally:
            await daemons.close()

    asyncio.run(run())


@pytest.mark.parametrize("name", KINDS)
def test_each_is_told_where_to_listen(tmp_path, name):
    words = KINDS[name].command(tmp_path, ("127.0.0.9", 4711))
    told = " ".join(words) + "".join(path.read_text() for path in tmp_path.iterdir())
    assert "127.0.0.9" in told
    assert "4711" in told


def test_only_turn_listens_itself():
    assert Daemons().post() is None
    daemons = Daemons()
    assert [name for name in KINDS if daemons.listens(Service(name, False, ()))] == ["turn"]
    assert not daemons.listens(Service("http", False, ()))
    assert DOVECOT.count("{folder}") > 3
