"""Plan folders for the servers' tests, and a clock of patience for what runs on loopback."""

from __future__ import annotations

import asyncio
import importlib.util
import socket
import sys
from pathlib import Path

import pytest

from lab.stages.live.servers.image.plan import Plan


def _loaded(path: Path):
    name = f"servers_{path.stem}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


@pytest.fixture(scope="session")
def plans():
    """The module that writes small plan folders: Talk, write_folder."""
    return _loaded(Path(__file__).with_name("plans.py"))


@pytest.fixture
def plan_of(plans, tmp_path):
    """Talks -> the plan, read back from its folder."""

    def make(*talks, services=None) -> Plan:
        return Plan(plans.write_folder(tmp_path / "plan", list(talks), services))

    return make


@pytest.fixture
def part_of(plan_of):
    """A talk -> the part of its server, whose clock has been started when ``started`` is called."""
    from lab.stages.live.servers.image.clock import Clock
    from lab.stages.live.servers.image.ledger import Entry
    from lab.stages.live.servers.image.part import Arrivals, Part

    def make(talk, *, opened: float = 0.0) -> Part:
        plan = plan_of(talk)
        return Part(plan, plan.script(talk.n), Entry(), Arrivals(opened, opened), Clock())

    return make


class Wire(asyncio.Transport):
    """A transport that keeps what is written, and when (loop time)."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[tuple[float, bytes]] = []
        self.closed = False

    def write(self, data) -> None:
        self.written.append((asyncio.get_running_loop().time(), bytes(data)))

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass

    def get_extra_info(self, _, default=None):
        return default

    @property
    def said(self) -> bytes:
        return b"".join(data for _, data in self.written)


@pytest.fixture
def wire():
    return Wire


@pytest.fixture
def free_port():
    def find(kind=socket.SOCK_STREAM) -> int:
        with socket.socket(socket.AF_INET, kind) as probe:
            probe.bind(("127.0.0.1", 0))
            return probe.getsockname()[1]

    return find


@pytest.fixture
def eventually():
    """Waits, bounded, until something holds."""

    async def wait(holds, timeout_s: float = 5.0) -> None:
        async with asyncio.timeout(timeout_s):
            while not holds():  # noqa: ASYNC110 - any condition may be waited for
                await asyncio.sleep(0.005)

    return wait
