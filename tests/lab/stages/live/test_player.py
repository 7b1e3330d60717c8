"""The player against servers that speak the same scripts, over socket pairs: who says what when, and what goes wrong."""

from __future__ import annotations

import asyncio
import dataclasses
import socket
import time

import pytest

from lab.stages.live.pace import courses
from lab.stages.live.player import Player, measures, wall_us
from lab.stages.live.ports import Seen, kind_of

SPEED = 1e9  # gaps vanish, bursts stay


class Control:
    """What the servers were told."""

    def __init__(self) -> None:
        self.told = []

    async def call(self, do, **fields):
        self.told.append((do, fields))
        return {}


class World:
    """Opens a socket pair per conversation: one end for the player, a scripted server at the other."""

    def __init__(self, payload, *, report=True, mute=()) -> None:
        self.payload, self.report, self.mute = payload, report, mute
        self.heard: dict[int, bytes] = {}
        self.player = None
        self.servers = []

    async def open_stream(self, script):
        ours, theirs = socket.socketpair()
        if self.report:
            self.player.saw(kind_of(script), Seen(("10.88.0.9", 40_000 + script.n), wall_us()))
        self.servers.append(asyncio.create_task(self.serve(script, theirs)))
        return await asyncio.open_connection(sock=ours)

    async def serve(self, script, end) -> None:
        reader, writer = await asyncio.open_connection(sock=end)
        try:
            await self.speak(script, reader, writer)
            await reader.read()
        finally:
            writer.close()
            await writer.wait_closed()

    async def speak(self, script, reader, writer) -> None:
        for by_client, size, at in zip(script.from_client, script.size, script.offset, strict=True):
            if by_client:
                self.heard[script.n] = self.heard.get(script.n, b"") + await reader.readexactly(int(size))
            elif script.n not in self.mute:
                writer.write(self.payload[int(at) : int(at + size)])
                await writer.drain()


def play(scripts, timeline, payload, **world):
    """The player after a run."""
    made = World(payload, **world)
    plain = [s for s in scripts if not s.tls]

    async def run() -> Player:
        player = Player(
            plain,
            courses(plain, timeline.start, SPEED),
            memoryview(payload),
            lambda _n: "",
            made.open_stream,
            Control(),
        )
        made.player = player
        player.epoch_us = wall_us()
        await player.play()
        await asyncio.gather(*made.servers, return_exceptions=True)
        return player

    return asyncio.run(run()), made


@pytest.fixture
def few(script_of_scenario):
    timeline, scripts, payload = script_of_scenario("live-http")
    return timeline, [s for s in scripts if s.protocol in {"http", "dns"} and not s.tls][:12], payload


def test_every_conversation_is_said_whole_and_reported(few) -> None:
    timeline, scripts, payload = few
    player, world = play(scripts, timeline, payload)
    assert set(player.played) == {script.n for script in scripts}
    for script in scripts:
        done = player.played[script.n]
        assert done.error is None
        assert done.client == ("10.88.0.9", 40_000 + script.n)
        mine, theirs = (int(script.size[script.from_client == side].sum()) for side in (True, False))
        assert (done.sent, done.received) == (mine, theirs)
        said = b"".join(
            payload[at : at + size]
            for at, size, by_client in zip(script.offset, script.size, script.from_client, strict=True)
            if by_client
        )
        assert world.heard[script.n] == said


def test_servers_are_told_whose_connection_it_is_but_for_look_ups(few) -> None:
    timeline, scripts, payload = few
    player, _ = play(scripts, timeline, payload)
    told = {fields["n"]: tuple(fields["client"]) for _, fields in player.servers.told}
    assert told == {s.n: ("10.88.0.9", 40_000 + s.n) for s in scripts if s.protocol != "dns"}
    assert any(s.protocol == "dns" for s in scripts)


def test_a_mute_server_is_one_conversation_s_fault(few, monkeypatch) -> None:
    monkeypatch.setattr("lab.stages.live.player.WAIT_S", 0.2)
    timeline, scripts, payload = few
    mute = next(s.n for s in scripts if s.protocol == "http")
    player, _ = play(scripts, timeline, payload, mute=(mute,))
    assert "heard 0 of" in player.played[mute].error
    assert [n for n, done in player.played.items() if done.error] == [mute]


def test_a_socket_never_seen_is_a_fault(few, monkeypatch) -> None:
    monkeypatch.setattr("lab.stages.live.player.SEEN_WITHIN_S", 0.1)
    timeline, scripts, payload = few
    web = [s for s in scripts if s.protocol == "http"][:1]
    player, _ = play(web, timeline, payload, report=False)
    done = player.played[web[0].n]
    assert done.client is None
    assert done.error.startswith("no socket seen")


def test_what_a_proxy_dials_is_told_and_what_it_never_dials_is_a_fault(script_of_scenario, monkeypatch) -> None:
    monkeypatch.setattr("lab.stages.live.player.SEEN_WITHIN_S", 0.1)
    timeline, scripts, payload = script_of_scenario("live-socks5")
    relayed = [s for s in scripts if s.via is not None][:2]

    async def run() -> Player:
        paced = courses(relayed, timeline.start, SPEED)
        player = Player(relayed, paced, memoryview(payload), lambda _n: "", None, Control(), epoch_us=wall_us())
        playing = asyncio.create_task(player.play())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        player.saw(kind_of(relayed[0]), Seen(("10.88.0.9", 5), 77))
        await playing
        return player

    player = asyncio.run(run())
    assert player.played[relayed[0].n].error is None
    assert player.played[relayed[0].n].opened_us == 77
    assert "never dialled" in player.played[relayed[1].n].error
    assert player.servers.told == [("client", {"n": relayed[0].n, "client": ["10.88.0.9", 5]})]


def test_dials_are_awaited_in_the_order_in_which_they_are_due(script_of_scenario) -> None:
    timeline, scripts, payload = script_of_scenario("live-socks5")
    like = next(s for s in scripts if s.via is not None)
    two = [like, dataclasses.replace(like, n=like.n + 1)]
    paced = courses(two, timeline.start, SPEED)
    paced[like.n] = dataclasses.replace(paced[like.n], open_real=paced[like.n].open_real + 10)  # the first row is later

    async def run() -> Player:
        player = Player(two, paced, memoryview(payload), lambda _n: "", None, Control(), epoch_us=wall_us())
        playing = asyncio.create_task(player.play())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        for port in (1, 2):
            player.saw(kind_of(like), Seen(("10.88.0.9", port), port))
        await playing
        return player

    played = asyncio.run(run()).played
    assert [played[s.n].client[1] for s in two] == [2, 1]


def test_conversations_begin_at_their_time(few) -> None:
    _, scripts, payload = few
    web = [s for s in scripts if s.protocol == "http"][:1]
    begun = time.monotonic()
    paced = courses(web, web[0].start - 300_000, 1.0)
    world = World(payload)

    async def run() -> Player:
        player = Player(web, paced, memoryview(payload), lambda _n: "", world.open_stream, Control())
        world.player, player.epoch_us = player, wall_us()
        await player.play()
        return player

    player = asyncio.run(run())
    assert time.monotonic() - begun > 0.25
    assert abs(player.played[web[0].n].opened_us - player.epoch_us - 300_000) < 100_000


@pytest.mark.parametrize(
    ("protocol", "said", "amount"),
    [
        ("http", b"HTTP/1.1 200 OK\r\n\r\n", 19),
        ("smtp", b"220 lab\r\n", 1),
        ("smtp", b"250-lab\r\n250-SIZE 1\r\n250 AUTH PLAIN\r\n", 1),
        ("imap", b"* OK [CAPABILITY IMAP4rev1] ready\r\n", 1),
        ("imap", b"* 3 EXISTS\r\nA0002 OK done\r\n+ idling\r\n", 3),
        ("imap", b"* FLAGS ()\r\n* 3 EX", 0),
    ],
)
def test_replies(protocol, said, amount) -> None:
    assert measures(protocol)(said) == amount


def test_a_look_up_without_an_answer_is_sent_again_as_resolvers_do(few, monkeypatch) -> None:
    monkeypatch.setattr("lab.stages.live.player.DNS_RETRIES_S", (0.05, 0.2))
    timeline, scripts, payload = few
    asked = [s for s in scripts if s.protocol == "dns"][:1]

    class Forgetful(World):
        async def speak(self, script, reader, writer) -> None:
            await reader.readexactly(int(script.size[0]))  # lost
            await super().speak(script, reader, writer)

    made = Forgetful(payload)

    async def run() -> Player:
        paced = courses(asked, timeline.start, SPEED)
        player = Player(asked, paced, memoryview(payload), lambda _n: "", made.open_stream, Control())
        made.player, player.epoch_us = player, wall_us()
        await player.play()
        await asyncio.gather(*made.servers, return_exceptions=True)
        return player

    done = asyncio.run(run()).played[asked[0].n]
    assert done.error is None
    assert done.sent == 2 * int(asked[0].size[0])


def test_nobody_connects_to_a_name_that_he_is_still_looking_up(few) -> None:
    timeline, scripts, payload = few
    looking = next(s for s in scripts if s.protocol == "dns" and any(t.name == s.name and t is not s for t in scripts))
    caller = next(s for s in scripts if s.name == looking.name and s.protocol == "http")
    opened = []

    class Slow(World):
        async def open_stream(self, script):
            opened.append((script.protocol, time.monotonic()))
            return await super().open_stream(script)

        async def speak(self, script, reader, writer) -> None:
            await asyncio.sleep(0.2 if script.protocol == "dns" else 0)
            await super().speak(script, reader, writer)

    made = Slow(payload)
    both = [looking, dataclasses.replace(caller, start=looking.start + 1_000)]

    async def run() -> None:
        paced = courses(both, timeline.start, SPEED)
        player = Player(both, paced, memoryview(payload), lambda _n: "", made.open_stream, Control())
        made.player, player.epoch_us = player, wall_us()
        await player.play()
        await asyncio.gather(*made.servers, return_exceptions=True)

    asyncio.run(run())
    assert [protocol for protocol, _ in opened] == ["dns", "http"]
    assert opened[1][1] - opened[0][1] > 0.15
