import asyncio
import contextlib
import json

from lab.stages.live import control_server
from lab.stages.live.control_server import answer, serve


async def echo(request):
    return {"said": request["word"]}


async def broken(request):
    raise KeyError("gone")


async def unsayable(request):
    return {"what": object()}


HANDLERS = {"echo": echo, "broken": broken, "unsayable": unsayable}


def asked(line):
    return json.loads(asyncio.run(answer(line, HANDLERS)))


def test_a_known_verb_is_answered_by_its_handler():
    assert asked(b'{"do": "echo", "word": "x"}\n') == {"ok": True, "said": "x"}


def test_an_unknown_verb_is_answered_with_the_known_ones():
    assert asked(b'{"do": "ecko"}\n') == {
        "ok": False,
        "error": "unknown verb 'ecko'; known: broken, echo, unsayable",
    }
    assert not asked(b'{"do": ["echo"]}\n')["ok"]


def test_faults_are_answers():
    assert asked(b'{"do": "broken"}\n') == {"ok": False, "error": "KeyError: 'gone'"}
    assert "TypeError" in asked(b'{"do": "unsayable"}\n')["error"]
    assert "not JSON" in asked(b"{\xff\n")["error"]
    assert asked(b"[1]\n")["error"] == "a request is an object"


def conversation(lines, **options):
    """What one client hears that says ``lines`` and then hangs up."""

    async def run():
        server = await serve("127.0.0.1", 0, HANDLERS, **options)
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(lines)
        writer.write_eof()
        heard = b""
        with contextlib.suppress(ConnectionResetError):
            heard = await asyncio.wait_for(reader.read(), 5)
        writer.close()
        server.close()
        return [json.loads(line) for line in heard.splitlines()]

    return asyncio.run(run())


def test_answers_come_in_order_and_after_faults():
    lines = b'{"do": "echo", "word": 1}\nrubbish\n{"do": "broken"}\n{"do": "echo", "word": 2}\n'
    heard = conversation(lines)
    assert [reply["ok"] for reply in heard] == [True, False, False, True]
    assert (heard[0]["said"], heard[3]["said"]) == (1, 2)


def test_half_a_request_is_not_acted_upon():
    assert conversation(b'{"do": "echo", "word": 1}') == []


def test_a_request_over_the_limit_is_refused(monkeypatch):
    monkeypatch.setattr(control_server, "REQUEST_LIMIT", 100)
    (reply,) = conversation(b'{"do": "echo", "word": "' + b"x" * 100 + b'"}\n')
    assert "longer than 100 bytes" in reply["error"]


def test_only_the_host_is_answered():
    line = b'{"do": "echo", "word": 1}\n'
    assert len(conversation(line, only="127.0.0.1")) == 1
    assert conversation(line, only="10.77.1.1") == []
