"""Runs inside the servers' image: dovecot hears the client's side of a scripted IMAP conversation.

Its mailbox is prepared from the script. Per turn of the server: what dovecot says to it and what the script says.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from pathlib import Path

from lab.stages.live.servers.image.daemons import WORK, Daemons
from lab.stages.live.servers.image.plan import Plan, Service

MAIL = WORK / "mailbox-0/mail"


def mails(said: list[bytes]) -> tuple[int, dict[int, bytes]]:
    """How many mails the script's mailbox has, and the text of those that are fetched, by UID, the first time."""
    count = int(re.search(rb"\* (\d+) EXISTS", b"".join(said))[1])
    texts: dict[int, bytes] = {}
    for turn in said:
        if head := re.search(rb"FETCH \(UID (\d+) BODY\[\] \{(\d+)\}\r\n", turn):
            texts.setdefault(int(head[1]), turn[head.end() : head.end() + int(head[2])])
    return count, texts


def deliver(uid: int, text: bytes) -> None:
    """A mail comes in: written beside, then moved, as the maildir format asks."""
    for part in ("tmp", "new", "cur"):
        (MAIL / part).mkdir(parents=True, exist_ok=True)
    new = MAIL / f"tmp/{uid:06d}.lab"
    new.write_bytes(text)
    new.rename(MAIL / f"new/{uid:06d}.lab")


async def answer(reader: asyncio.StreamReader, tag: bytes) -> bytes:
    """Up to the tagged line or the continuation request, literals included."""
    said = b""
    while True:
        line = await asyncio.wait_for(reader.readline(), 5)
        said += line
        if literal := re.search(rb"\{(\d+)\}\r\n$", line):
            said += await reader.readexactly(int(literal[1]))
        elif line.startswith((tag + b" ", b"+")) or not line:
            return said


async def main() -> None:
    plan = Plan(Path("/plan") / sys.argv[1])
    turns = plan.script(int(sys.argv[2])).turns
    said = [bytes(plan.bytes_of(turn)) for turn in turns]
    count, texts = mails([data for data, turn in zip(said, turns, strict=True) if not turn.from_client])
    daemons = Daemons()
    await daemons.start({("198.18.0.14", 143, "tcp"): Service("mailbox", False, ())})
    for uid in range(1, count + 1):
        deliver(uid, texts.get(uid, b"Subject: old\r\n\r\n"))
    reader, writer = await asyncio.open_connection(*daemons.behind("mailbox"))
    rows, tag, loop = [], b"*", asyncio.get_running_loop()
    for data, turn in zip(said, turns, strict=True):
        begun = loop.time()
        if turn.from_client:
            tag = data.split(b" ", 1)[0] if re.match(rb"A\d+ ", data) else tag
            writer.write(data)
            continue
        if turn.pushed:
            count += 1
            deliver(count, texts.get(count, b"Subject: new\r\n\r\n"))
        heard = await answer(reader, b"*" if turn.pushed or not rows else tag)
        literal = b"{" in data
        same = (
            re.search(rb"\{(\d+)\}.*", heard, re.DOTALL) and data[data.find(b"{") : -len(b"A0001 OK done\r\n")] in heard
        )
        rows.append(
            {
                "pushed": turn.pushed,
                "heard": heard.decode(errors="replace").splitlines()[-1],
                "scripted": data.decode().splitlines()[-1],
                "exists": [re.findall(rb"\* (\d+) EXISTS", one)[-1:] == [b"%d" % count] for one in (heard, data)],
                "mail": bool(same) if literal else None,
                "sizes": [len(heard), len(data)],
                "late_s": round(loop.time() - begun, 3),
            }
        )
    writer.close()
    await daemons.close()
    print(json.dumps(rows))


asyncio.run(main())
