"""The verbs, from plan to finish, of both roles; what comes from nobody's gateway is nothing."""

from __future__ import annotations

import asyncio
import json
import time

import pytest

from lab.stages.live.servers.image.main import House

ROWS = ((0, 300, 500, 1_000),)


def test_servers_from_plan_to_finish(plans, tmp_path, free_port):
    port = free_port()
    plans.write_folder(tmp_path / "run", [plans.Talk(0, "opaque", ("127.0.5.1", port), ROWS)])

    async def run():
        house = House("servers", "127.0.0.1", tmp_path)
        with pytest.raises(LookupError, match="no plan"):
            await house.start({"epoch_us": 0})
        assert await house.plan({"folder": "run"}) == {"conversations": 1, "daemons": []}
        await house.start({"epoch_us": int(time.time() * 1e6)})
        reader, writer = await asyncio.open_connection("127.0.5.1", port)
        own = writer.get_extra_info("sockname")  # of the gateway's address
        who = {"upstream": list(own), "server": ["127.0.5.1", port], "client": ["10.88.1.10", 50_000], "proto": "tcp"}
        house.behind(b"nonsense", ("127.0.0.1", 1))
        house.behind(json.dumps(who).encode(), ("127.0.0.2", 1))  # not the gateway
        house.behind(json.dumps(who).encode(), ("127.0.0.1", 1))
        await house.client({"n": 0, "client": ["10.88.1.10", 50_000]})
        writer.write(bytes(300))
        assert len(await asyncio.wait_for(reader.readexactly(500), 5)) == 500
        report = await house.report({})
        with pytest.raises(KeyError):
            await house.client({"n": 5, "client": ["10.88.1.10", 50_000]})
        writer.close()
        await house.finish({})
        await house.finish({})
        with pytest.raises(OSError, match=r"refused|failed"):
            await asyncio.open_connection("127.0.5.1", port)
        return report

    report = asyncio.run(run())
    assert report["conversations"] == {"0": {"received": 300, "sent": 500, "error": None}}
    assert report["strays"] == {"who: JSONDecodeError": 1}
    assert report["daemons"] == report["dialled"] == {}


def test_strangers_listen_nowhere_and_tell_whence_they_dialled(plans, tmp_path, free_port, eventually):
    port = free_port()
    talk = plans.Talk(0, "opaque", ("127.0.6.1", port), ROWS, client="127.0.7.1", inbound=True)
    plans.write_folder(tmp_path / "run", [talk])

    async def run():
        house = House("strangers", "127.0.0.1", tmp_path)
        await house.plan({"folder": "run"})
        await house.start({"epoch_us": int(time.time() * 1e6)})
        for _ in range(500):
            if found := (await house.dialled({}))["dialled"]:
                break
            await asyncio.sleep(0.005)
        report = await house.report({})
        await house.finish({})
        return found, report["dialled"]

    found, reported = asyncio.run(run())
    assert found == reported
    assert found["0"][0] == "127.0.7.1"


@pytest.mark.parametrize("folder", ["..", "../other", "nowhere"])
def test_a_plan_is_a_folder_of_the_plans(tmp_path, folder):
    (tmp_path / "plans").mkdir()

    async def run():
        await House("servers", "127.0.0.1", tmp_path / "plans").plan({"folder": folder})

    with pytest.raises((ValueError, OSError)):
        asyncio.run(run())
