"""What live tests share: droidrange's commands, and a session of the engine to start containers of the topology in."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


@pytest.fixture(scope="session")
def commands() -> ModuleType:
    """commands.py beside this file: droidrange's commands, each within a bound."""
    spec = importlib.util.spec_from_file_location("commands", Path(__file__).with_name("commands.py"))
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@dataclass(frozen=True)
class Ground:
    """A session of the engine with its network, on which nothing stands yet."""

    engine: Any
    session: Any
    network: Any
    subnet: IPv4Network

    def started(self, role: str, name: str, address: str, **more: Any) -> Any:
        """A container of the topology's image that waits for what is done in it."""
        from lab.stages.live.engine import image_tag
        from lab.stages.live.topology import addresses

        settings = {"command": ["sleep", "600"], "sysctls": addresses.sysctls(role), "address": address, **more}
        return self.engine.run(self.session, role, image_tag("topology"), name, network=self.network.name, **settings)


@pytest.fixture(scope="module")
def ground() -> Iterator[Ground]:
    """A session of its own for each file of tests; whatever was started in it is swept in the end."""
    from lab.stages.live.engine import connect, ensure_images, open_session, sweep

    engine = connect()
    ensure_images(engine, print, roles=["base", "topology"])
    session = open_session()
    try:
        network = engine.network(session)
        network.reload()
        yield Ground(engine, session, network, IPv4Network(network.attrs["IPAM"]["Config"][0]["Subnet"]))
    finally:
        sweep(engine, [session.id])
        engine.close()
