"""Set-ups follow what the proxy really answers, not what the script expected of it."""

from __future__ import annotations

import asyncio

import pytest

from lab.stages.live.servers.image.proxies import set_up

ROWS = ((500_000, 10, 20, 0),)
V4, NAME = b"\x05\0\0\x01\1\2\3\4\0\x50", b"\x05\0\0\x03\x09localhost\0\x50"


def played(plans, plan_of, protocol, answers, options):
    """Plays the set-up against a proxy that answers each turn with the next of ``answers``: (turns, heard, said)."""
    script = plan_of(plans.Talk(0, protocol, ("10.88.1.10", 1080), ROWS, inbound=True, options=options)).script(0)

    async def run():
        reader, left, said = asyncio.StreamReader(), list(answers), []

        async def say(turn):
            said.append(script.turns.index(turn))
            reader.feed_data(left.pop(0))
            if not left:
                reader.feed_data(b"relayed")

        taken, heard = await asyncio.wait_for(set_up(protocol, script.turns, say, reader), 5)
        return taken, heard, said, await reader.read(99)

    return asyncio.run(run())


@pytest.mark.parametrize("reply", [V4, NAME])
def test_socks5(plans, plan_of, reply):
    found = played(plans, plan_of, "socks5", [b"\x05\0", reply], {})
    assert found == (4, 2 + len(reply), [0, 2], b"relayed")


def test_socks5_with_a_log_in(plans, plan_of):
    options = {"user": "a", "password": "b"}
    assert played(plans, plan_of, "socks5", [b"\x05\2", b"\1\0", V4], options) == (6, 14, [0, 2, 4], b"relayed")


def test_socks5_that_needs_no_log_in_is_asked_at_once(plans, plan_of):
    options = {"user": "a", "password": "b"}
    assert played(plans, plan_of, "socks5", [b"\x05\0", V4], options) == (6, 12, [0, 4], b"relayed")


def test_connect_waits_for_the_end_of_the_head(plans, plan_of):
    head = b"HTTP/1.1 200 OK\r\nVia: somebody\r\n\r\n"
    assert played(plans, plan_of, "connect", [head], {}) == (2, len(head), [0], b"relayed")


def test_what_has_no_set_up_takes_no_turn(plans, plan_of):
    script = plan_of(plans.Talk(0, "opaque", ("10.88.1.10", 1), ROWS)).script(0)
    assert asyncio.run(set_up("opaque", script.turns, None, None)) == (0, 0)


@pytest.mark.parametrize(
    ("protocol", "answers", "options"),
    [
        ("socks5", [b"\x04\0"], {}),
        ("socks5", [b"\x05\xff"], {}),
        ("socks5", [b"\x05\2"], {}),
        ("socks5", [b"\x05\2", b"\1\1"], {"user": "a", "password": "b"}),
        ("socks5", [b"\x05\0", b"\x05\5\0\1"], {}),
        ("connect", [b"HTTP/1.1 403 Forbidden\r\n\r\n"], {}),
        ("connect", [b"x" * 70_000], {}),
    ],
)
def test_a_proxy_that_refuses_is_an_error(plans, plan_of, protocol, answers, options):
    with pytest.raises(ConnectionError):
        played(plans, plan_of, protocol, answers, options)
