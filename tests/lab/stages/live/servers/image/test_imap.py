"""Dovecot's verdict decides: the like is said in the script's words, another as it is, none is counted."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from lab.stages.live.servers.image.imap import ImapVoice, Post

ROWS = ((0, 50, 300, 0), (1, 0, 90, 0))


def met(plans, part_of, tmp_path, eventually, dovecot):
    """The whole script spoken to a voice before ``dovecot`` (line -> answer): what is said, what dovecot heard."""
    part = part_of(plans.Talk(5, "imap", ("198.18.0.1", 143), ROWS, options={"idle": "no"}))
    strays, lines = Counter(), []

    async def serve(reader, writer):
        writer.write(b"* OK [CAPABILITY IMAP4rev1] fake\r\n")
        while line := await reader.readline():
            lines.append(line)
            if answer := dovecot(line):
                writer.write(answer)
            else:
                break
        writer.close()

    async def run():
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        voice = ImapVoice(part, Post(server.sockets[0].getsockname(), tmp_path), strays)
        pairs = []
        for turn in part.script.turns:
            data = bytes(part.plan.bytes_of(turn))
            if turn.from_client:
                voice.hear(data[:5])
                voice.hear(data[5:])
            else:
                pairs.append((bytes(await voice.say(data)), data))
        mails = [len(list((tmp_path / "n5" / part).iterdir())) for part in ("cur", "new")]
        voice.close()
        voice.close()
        await eventually(lambda: not (tmp_path / "n5").exists())
        server.close()
        await server.wait_closed()
        return pairs, mails

    return *asyncio.run(run()), lines, part.entry.error, strays


def agrees(line):
    tag = line.split()[0]
    fetched = b"* 7 FETCH (BODY[] {9}\r\nA9 NO\r\nxx FLAGS ())\r\n" if b"FETCH" in line else b"* 1 RECENT\r\n"
    return fetched + tag + b" OK in other words (0.001 secs)\r\n"


def test_the_like_is_said_in_the_scripts_words(plans, part_of, tmp_path, eventually):
    pairs, mails, lines, error, strays = met(plans, part_of, tmp_path, eventually, agrees)
    assert all(said == script for said, script in pairs)
    assert pairs[0][0][:4] == b"* OK"
    assert lines[0] == b'A0001 LOGIN "n5" "any"\r\n'
    count = int(pairs[2][1].split(b" EXISTS")[0].split()[-1])
    assert mails == [count, 1]  # the pushed one
    assert (error, strays) == (None, {})


def test_another_verdict_is_said_as_it_is(plans, part_of, tmp_path, eventually):
    pairs, _, _, error, _ = met(
        plans, part_of, tmp_path, eventually, lambda line: line.split()[0] + b" NO " + line.split()[1] + b"\r\n"
    )
    assert pairs[1][0] == b"A0001 NO LOGIN\r\n"
    assert "A0001 NO" in error


@pytest.mark.parametrize("tag", [b"", b"A0001"])
def test_a_dovecot_that_fails_leaves_the_script(plans, part_of, tmp_path, eventually, tag):
    pairs, _, _, error, strays = met(
        plans, part_of, tmp_path, eventually, lambda line: agrees(line) if tag and line.startswith(tag) else b""
    )
    assert all(said == script for said, script in pairs)
    assert error is None
    assert sum(strays.values()) == 1
    assert next(iter(strays)).startswith("imap: dovecot: ")
