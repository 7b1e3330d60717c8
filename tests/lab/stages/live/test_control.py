import asyncio
import contextlib

import pytest

from lab.errors import StageError
from lab.stages.live.control import Control
from lab.stages.live.control_server import serve


async def echo(request):
    await asyncio.sleep(request.get("after", 0))
    return {"said": request["word"]}


@contextlib.asynccontextmanager
async def listening(handlers):
    server = await serve("127.0.0.1", 0, handlers)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def opened(port, **options):
    return await Control.open("127.0.0.1", timeout_s=1, role="gateway", port=port, **options)


def test_a_call_gives_the_fields_of_the_answer():
    async def run():
        async with listening({"echo": echo}) as port:
            control = await opened(port)
            assert await control.call("echo", word=["ü", None]) == {"said": ["ü", None]}
            control.close()
            control.close()

    asyncio.run(run())


def test_calls_of_several_tasks_and_clients_keep_their_answers():
    async def run():
        async with listening({"echo": echo}) as port:
            one, two = await opened(port), await opened(port)
            slow = one.call("echo", word="slow", after=0.05)
            calls = [slow, *(one.call("echo", word=n) for n in range(20)), two.call("echo", word="other")]
            said = [reply["said"] for reply in await asyncio.gather(*calls)]
            assert said == ["slow", *range(20), "other"]
            one.close()
            two.close()

    asyncio.run(run())


def test_a_refusal_names_role_verb_and_error_and_the_connection_lives():
    async def run():
        async with listening({"echo": echo}) as port:
            control = await opened(port)
            with pytest.raises(StageError, match=r"^gateway: ecko: unknown verb 'ecko'; known: echo$"):
                await control.call("ecko")
            assert await control.call("echo", word=1) == {"said": 1}
            control.close()

    asyncio.run(run())


def test_a_lost_connection_is_a_stage_error():
    async def hang_up(_reader, writer):
        writer.close()
        await writer.wait_closed()

    async def run():
        server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
        control = await opened(server.sockets[0].getsockname()[1])
        with pytest.raises(StageError, match="gateway: status: "):
            await control.call("status")
        server.close()

    asyncio.run(run())


def test_an_answer_that_never_comes_is_a_stage_error():
    async def run():
        async with listening({"echo": echo}) as port:
            control = await opened(port, answer_s=0.05)
            with pytest.raises(StageError, match="gateway: echo: no answer in time"):
                await control.call("echo", word=1, after=0.5)
            with pytest.raises(StageError, match="gateway: echo: "):  # a late answer is nobody's
                await control.call("echo", word=2)

    asyncio.run(run())


def test_a_container_that_is_not_there_is_a_stage_error():
    async def run():
        async with listening({}) as port:
            pass
        with pytest.raises(StageError, match=rf"gateway: no control at 127.0.0.1:{port} within 0.1 s"):
            await Control.open("127.0.0.1", timeout_s=0.1, role="gateway", port=port)

    asyncio.run(run())


def test_a_container_that_comes_late_is_waited_for():
    async def run():
        async with listening({}) as port:
            pass
        opening = asyncio.create_task(opened(port))
        await asyncio.sleep(0.1)
        server = await serve("127.0.0.1", port, {"echo": echo})
        control = await opening
        assert await control.call("echo", word=1) == {"said": 1}
        control.close()
        server.close()

    asyncio.run(run())
