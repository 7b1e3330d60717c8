"""Sockets on phones: the command that reaches adb for each script and listener, against an adb server of two lines."""

from __future__ import annotations

import asyncio
import dataclasses
from types import SimpleNamespace

import pytest

from lab.devices.capabilities import parse_capabilities
from lab.devices.errors import DeviceError
from lab.stages.live.casting import Relay
from lab.stages.live.reach import CPU_S, IDLE_S, LOOK_UP_CPU_S, Reach

AS_APP = "setpriv --reuid {0} --regid {0} --clear-groups --inh-caps=-all --no-new-privs toybox nc"


def abilities(flags="luwWq"):
    said = {"setpriv": "10999", "netcat": "".join(f"-{flag}\tx\n" for flag in flags)}
    return parse_capabilities("s", "".join(f"==droidrange {name}\n{text}\n=0\n" for name, text in said.items()))


@pytest.fixture
def phones(script_of_scenario):
    """(timeline, a TCP script, a UDP script) of one device."""
    timeline, scripts, _ = script_of_scenario("live-http")
    return timeline, next(s for s in scripts if s.transport == "tcp"), next(s for s in scripts if s.transport == "udp")


async def asked(reach_of, act):
    """What the adb server was asked for, and what the stream said."""
    words = []

    async def serve(reader, writer) -> None:
        for _ in range(2):
            size = int(await reader.readexactly(4), 16)
            words.append((await reader.readexactly(size)).decode())
            writer.write(b"OKAY")
        writer.write(b"\x01\x02\x00\x00\x00hi" + b"\x03\x01\x00\x00\x00\x00")  # stdout, then exit code 0
        await reader.read()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server, asyncio.timeout(5.0):
        reach = reach_of(SimpleNamespace(server=server.sockets[0].getsockname()[:2], serial="10.77.1.10:5555"))
        reader, writer = await act(reach)
        said = await reader.read()
        writer.close()
        await asyncio.sleep(0.01)
    return words, said


def reached(timeline, act, *, caps=None, device=0):
    made = caps or abilities()
    return asyncio.run(asked(lambda phone: Reach(timeline, {device: phone}, {device: made}), act))


def test_a_tcp_conversation_is_opened_as_its_app_to_its_server(phones) -> None:
    timeline, script, _ = phones
    words, said = reached(timeline, lambda reach: reach.connect(script))
    address, port = script.server
    assert words[0] == "host:transport:10.77.1.10:5555"
    assert words[1].endswith(f"{AS_APP.format(script.uid)} -w 10 -W {IDLE_S} {address} {port}")
    assert " -u " not in words[1]
    assert said == b"hi"


def test_a_udp_conversation_is_opened_as_one(phones) -> None:
    timeline, _, script = phones
    words, _ = reached(timeline, lambda reach: reach.connect(script))
    assert words[1].endswith(f"{AS_APP.format(script.uid)} -u -w 10 -W {IDLE_S} -q 1 {script.server[0]} 53")


def test_datagrams_come_from_a_port_of_their_own_where_the_phone_can(phones) -> None:
    timeline, _, script = phones
    found = []

    async def twice(reach):
        reach.ports._orders[script.device] = iter([40_001, 40_002])
        found.append(await reach.connect(script))
        found[0][1].close()
        return await reach.connect(script)

    words, _ = reached(timeline, twice, caps=abilities("pluwWq"))
    assert words[1].startswith(f"shell,v2,raw:ulimit -t {LOOK_UP_CPU_S}; ")
    ends = f" -w 10 -W {IDLE_S} -q 1 {script.server[0]} 53"
    assert words[1].endswith(f"{AS_APP.format(script.uid)} -u -p 40001{ends}")
    assert words[3].endswith(f"{AS_APP.format(script.uid)} -u -p 40002{ends}")


def test_datagrams_that_are_no_look_up_may_take_longer(phones) -> None:
    timeline, _, script = phones
    stream = dataclasses.replace(script, protocol="datagram")
    words, _ = reached(timeline, lambda reach: reach.connect(stream), caps=abilities("pluwWq"))
    assert words[1].startswith(f"shell,v2,raw:ulimit -t {CPU_S}; ")


def test_streams_leave_their_port_to_the_kernel(phones) -> None:
    timeline, script, _ = phones
    words, _ = reached(timeline, lambda reach: reach.connect(script), caps=abilities("pluwWq"))
    assert " -p " not in words[1]
    assert "ulimit" not in words[1]


def test_a_listener_takes_one_connection_within_its_time(phones) -> None:
    timeline, script, _ = phones
    relay = Relay(script.device, script.uid, None, 8_080, 0, 1)
    words, _ = reached(timeline, lambda reach: reach.listen(relay, 77))
    assert words[1].endswith(f"{AS_APP.format(script.uid)} -w 77 -W {IDLE_S} -p 8080 -l")


def test_the_package_is_that_of_the_same_phone(script_of_scenario) -> None:
    timeline, scripts, _ = script_of_scenario("live-http")
    script = next(s for s in scripts if s.transport == "tcp")
    own = next(app for app in timeline.apps if (app.device, app.uid) == (script.device, script.uid))
    other = dataclasses.replace(own, device=own.device + 1, package="com.other.phone")
    both = dataclasses.replace(timeline, apps=(other, *timeline.apps))
    caps = dataclasses.replace(abilities(), uid_switch="run-as")
    words, _ = reached(both, lambda reach: reach.connect(script), caps=caps)
    assert f"run-as {own.package} toybox nc" in words[1]


def test_a_phone_that_cannot_is_named(phones) -> None:
    timeline, _, script = phones
    with pytest.raises(DeviceError, match="UDP conversations cannot be played"):
        reached(timeline, lambda reach: reach.connect(script), caps=abilities("lwW"))


def test_a_phone_that_is_gone_is_named(phones) -> None:
    timeline, script, _ = phones

    async def refused() -> None:
        server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
        address = server.sockets[0].getsockname()[:2]
        server.close()
        await server.wait_closed()
        await Reach(timeline, {0: SimpleNamespace(server=address, serial="s")}, {0: abilities()}).connect(script)

    with pytest.raises(DeviceError, match="connection lost"):
        asyncio.run(refused())
