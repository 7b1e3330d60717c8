import asyncio
import os
import signal

import pytest

from lab.stages.live.gateway.image.children import Capture, Proxy, capture_words, end, without_privileges


def test_nothing_is_left_of_root_but_what_is_named():
    assert " ".join(without_privileges(901, ["net_raw"])) == (
        "setpriv --reuid 901 --regid 901 --clear-groups --no-new-privs --inh-caps=-all,+net_raw "
        "--ambient-caps=-all,+net_raw --bounding-set=-all,+net_raw"
    )
    assert "--ambient-caps=-all" in without_privileges(900)


def test_packets_are_captured_whole_and_written_at_once():
    words = capture_words("lab0")
    assert words[words.index("-s") + 1] == "262144"
    assert {"-U", "--immediate-mode", "--time-stamp-precision=micro"} < set(words)


def test_mitmproxy_obeys_takes_a_file_and_refuses(fakes, tmp_path):
    async def run():
        proxy = await Proxy.start(fakes.proxy, dict(os.environ), ready_s=10)
        with (tmp_path / "events").open("wb") as file:
            answer = await proxy.order("record", file=file.fileno(), word=1)
        assert answer["order"] == {"do": "record", "word": 1}
        assert (tmp_path / "events").read_bytes() == b'{"v":1}\n'
        with pytest.raises(RuntimeError, match="plan: no such resolver"):
            await proxy.order("plan", resolver=["198.18.0.66", 53])
        proxy.process.kill()
        await proxy.process.wait()
        with pytest.raises(RuntimeError, match="mitmproxy"):
            await proxy.order("ping")
        await proxy.finish(signal.SIGTERM, 5)

    asyncio.run(run())


def test_a_mitmproxy_that_dies_at_once_is_told(fakes):
    async def run():
        with pytest.raises(RuntimeError, match="did not start"):
            await Proxy.start(fakes.proxy, {**os.environ, "FAKE_DIES_AT": "ping"}, ready_s=10)

    asyncio.run(run())


def test_a_capture_listens_and_counts(fakes, tmp_path):
    async def run():
        with (tmp_path / "pcap").open("wb") as file:
            capture = await Capture.start("one", fakes.capture, file.fileno(), ready_s=10)
        assert (tmp_path / "pcap").read_bytes() == b"packets"
        counted = await capture.finish(5)
        assert counted == {"captured": 3, "received by filter": 4, "dropped by kernel": 1}

    asyncio.run(run())


def test_a_capture_that_does_not_start_says_why(fakes, tmp_path):
    async def run():
        with (tmp_path / "pcap").open("wb") as file, pytest.raises(RuntimeError, match="No such device exists"):
            await Capture.start("one", fakes.broken, file.fileno(), ready_s=10)

    asyncio.run(run())


def test_who_does_not_go_is_killed(fakes):
    async def run():
        process = await asyncio.create_subprocess_exec("sh", "-c", "trap '' TERM; echo; read x", stdout=-1, stdin=-1)
        await process.stdout.readline()
        await end(process, signal.SIGTERM, 0.05)
        assert process.returncode == -signal.SIGKILL
        process._transport.close()

    asyncio.run(run())
