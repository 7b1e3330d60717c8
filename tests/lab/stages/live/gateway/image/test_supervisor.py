import asyncio
import json
import os
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from lab.stages.live.gateway.image import supervisor
from lab.stages.live.gateway.image.rules import PROXY_PORTS
from lab.stages.live.gateway.image.supervisor import Gateway, Settings, acting_as, proxy_words, read_owned


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    monkeypatch.setattr(supervisor, "_QUIET_S", 0.0)


@pytest.fixture
def running(fakes, tmp_path):
    """A context: the gateway with both fakes, its folders below tmp_path; ``settings`` are replaced by name."""

    @asynccontextmanager
    async def run(**settings):
        for name in ("rec", "plan", "private"):
            (tmp_path / name).mkdir(exist_ok=True)
        folders = {name: tmp_path / name for name in ("rec", "plan", "private")}
        commands = {"proxy": fakes.proxy, "capture": fakes.capture, "nft": ("tee", "-a", str(tmp_path / "rules"))}
        gateway = Gateway(Settings(**{**folders, **commands, "environment": dict(os.environ), **settings}))
        await gateway.start()
        try:
            yield gateway
        finally:
            await gateway.finish(0)

    return run


def faults(tmp_path, name):
    return [json.loads(line)["reason"] for line in (tmp_path / f"rec/{name}.fault").read_text().splitlines()]


def test_a_capture_has_files_of_its_own_and_counts(running, tmp_path):
    async def run():
        async with running() as gateway:
            assert await gateway.status({}) == {"proxy": True, "capture": False, "name": None, "faults": []}
            await gateway.capture({"name": "one"})
            assert (await gateway.status({}))["name"] == "one"
            told = await gateway.stop({})
            assert told == {"packets": 3, "seen": 4, "dropped": 1, "lines": 1, "faults": []}
            await gateway.capture({"name": "two"})
            await gateway.stop({})
        assert await gateway.ended == 0

    asyncio.run(run())
    names = {path.name for path in (tmp_path / "rec").iterdir()}
    assert names == {"one.pcap", "one.jsonl", "two.pcap", "two.jsonl"}
    assert (tmp_path / "rec/two.jsonl").read_bytes() == b'{"v":1}\n'
    assert (tmp_path / "rec/two.pcap").read_bytes() == b"packets"


def test_no_capture_is_overwritten_doubled_or_named_out_of_its_folder(running):
    async def run():
        async with running() as gateway:
            await gateway.capture({"name": "one"})
            with pytest.raises(ValueError, match="one is running"):
                await gateway.capture({"name": "two"})
            await gateway.stop({})
            with pytest.raises(FileExistsError):
                await gateway.capture({"name": "one"})
            with pytest.raises(ValueError, match="no capture"):
                await gateway.stop({})
            for name in ("../x", "", None, ".x", "a/b"):
                with pytest.raises(ValueError, match="name"):
                    await gateway.capture({"name": name})

    asyncio.run(run())


def test_a_plan_sets_rules_authority_and_resolver(running, tmp_path):
    async def run():
        async with running() as gateway:
            (tmp_path / "plan/run-1/pki").mkdir(parents=True)
            (tmp_path / "plan/run-1/pki/origin-ca.pem").write_text("PEM")
            assert (await gateway.plan({}))["origin_ca"] is False
            told = await gateway.plan({"folder": "run-1", "redirect": [["198.18.0.1", 8000]]})
            assert told == {"intercepted": 1, "exempted": 0, "origin_ca": True}
            with pytest.raises(RuntimeError, match="no such resolver"):
                await gateway.plan({"resolver_upstream": ["198.18.0.66", 53]})

    asyncio.run(run())
    assert [path.read_text() for path in (tmp_path / "private").iterdir()] == ["PEM"]
    rules = (tmp_path / "rules").read_text()
    assert rules.index("policy drop") < rules.index("intercepted { 198.18.0.1 . 8000 }")


def test_rules_that_cannot_be_set_stop_it_all(running):
    async def run():
        failing = (sys.executable, "-c", "import sys; sys.exit('syntax error')")
        with pytest.raises(RuntimeError, match="nft: syntax error"):
            async with running(nft=failing):
                pass

    asyncio.run(run())


@pytest.mark.parametrize(("who", "told"), [("_proxy", "mitmproxy"), ("_capture", "the capture")])
def test_if_either_dies_the_other_ends_and_the_fault_is_beside_the_capture(running, tmp_path, who, told):
    async def run():
        async with running() as gateway:
            await gateway.capture({"name": "one"})
            both = [gateway._proxy.process, gateway._capture.process]
            getattr(gateway, who).process.kill()
            assert await asyncio.wait_for(gateway.ended, 10) == 1
            assert all(process.returncode is not None for process in both)
            assert gateway.faults == [f"{told} ended by itself with -9"]

    asyncio.run(run())
    assert faults(tmp_path, "one") == [f"{told} ended by itself with -9"]


def test_mitmproxy_that_dies_without_a_capture_ends_it_too(running, tmp_path):
    async def run():
        async with running() as gateway:
            gateway._proxy.process.kill()
            assert await asyncio.wait_for(gateway.ended, 10) == 1

    asyncio.run(run())
    assert faults(tmp_path, "gateway") == ["mitmproxy ended by itself with -9"]


def test_a_capture_cut_off_by_a_signal_is_flushed_and_not_whole(running, tmp_path):
    async def run():
        async with running() as gateway:
            await gateway.capture({"name": "one"})
            capture = gateway._capture.process
            await gateway.finish(0)
            assert await gateway.ended == 0
            assert capture.returncode == 0  # by SIGINT, which flushes

    asyncio.run(run())
    assert faults(tmp_path, "one") == ["ended while capturing"]


def test_a_capture_that_cannot_start_is_told_and_leaves_nothing(running, fakes, tmp_path):
    async def run():
        async with running(capture=fakes.broken) as gateway:
            with pytest.raises(RuntimeError, match="No such device"):
                await gateway.capture({"name": "one"})
            assert (await gateway.status({}))["capture"] is False
            with pytest.raises(RuntimeError, match="No such device"):
                await gateway.capture({"name": "one"})

    asyncio.run(run())
    assert list((tmp_path / "rec").iterdir()) == []


def test_a_fault_that_cannot_be_written_down_ends_it_all_the_same(running, tmp_path):
    async def run():
        async with running() as gateway:
            (tmp_path / "rec/gateway.fault").mkdir()
            gateway._proxy.process.kill()
            assert await asyncio.wait_for(gateway.ended, 10) == 1

    asyncio.run(run())


def test_mitmproxy_that_dies_at_an_order_is_told(running):
    async def run():
        async with running(environment={**os.environ, "FAKE_DIES_AT": "record"}) as gateway:
            with pytest.raises(RuntimeError, match="mitmproxy died at record"):
                await gateway.capture({"name": "one"})
            assert await asyncio.wait_for(gateway.ended, 10) == 1

    asyncio.run(run())


def test_files_are_read_as_their_owner(tmp_path):
    (tmp_path / "one").write_bytes(b"1")
    assert read_owned(tmp_path, "one") == b"1"
    assert read_owned(tmp_path, "two") is None
    before = os.geteuid(), os.getegid()
    with acting_as(*before):
        assert (os.geteuid(), os.getegid()) == before
    assert (os.geteuid(), os.getegid()) == before


def test_mitmproxy_is_told_to_add_nothing():
    words = proxy_words(Path("/c"), Path("/a.py"))
    assert words[words.index("-s") + 1] == "/a.py"
    modes = [words[k + 1] for k, word in enumerate(words) if word == "--mode"]
    assert modes[: len(PROXY_PORTS)] == [f"transparent@{port}" for port in PROXY_PORTS]
    assert modes[len(PROXY_PORTS) :] == ["reverse:udp://100.64.77.2:53@5300", "reverse:tcp://100.64.77.2:53@5300"]
    assert {"onboarding=false", "connection_strategy=eager", "validate_inbound_headers=false"} < set(words)
