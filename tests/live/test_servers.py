"""The servers' container for real: every protocol over AnyIP, sizes and delays as scripted, daemons spoken to."""

from __future__ import annotations

import contextlib
import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from lab.stages.live.servers.services import arguments

pytestmark = pytest.mark.live

HERE = Path(__file__).parent
LABEL = {"droidrange.dev": "servers-test"}
GATEWAY = "100.64.77.1"
ROUTES = f"ip route add local 198.18.0.0/15 dev lo && ip address add {GATEWAY}/32 dev lo && ip address add 10.88.1.10/32 dev lo && ip address add 100.64.77.2/32 dev lo"
HARDENED: dict[str, Any] = {
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges:true"],
    "read_only": True,
    "init": True,
    "labels": LABEL,
    "detach": True,
}
SLOW_S = 0.25  # what this machine, shared and loaded, may add to a delay


def loaded(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


plans = loaded(HERE.parent / "lab/stages/live/servers/plans.py")
Talk = plans.Talk


@pytest.fixture(scope="module")
def image() -> str:
    from lab.stages.live.engine import connect, ensure_images, image_tag

    ensure_images(connect(), lambda _: None)
    return image_tag("servers")


class Internet:
    """A running container of servers in a network namespace of its own, without any network."""

    def __init__(self, docker: Any, image: str, plans_folder: Path, role: str = "servers") -> None:
        self.docker, self.image, self.folder = docker, image, plans_folder
        run = arguments(role, plans_folder, address="127.0.0.1", host="127.0.0.1", gateway=GATEWAY)
        run.pop("address")
        sysctls = {"net.ipv4.ip_unprivileged_port_start": "0"}
        self.container = docker.containers.run(image, network_mode="none", sysctls=sysctls, **run, **HARDENED)
        self.beside(["sh", "-c", ROUTES], user="root", cap_add=["NET_ADMIN"])

    def beside(self, words: list[str], *, timeout_s: int = 60, **settings: Any) -> str:
        """What a command says that runs in the same network namespace; AssertionError if it fails."""
        volumes = {str(self.folder): {"bind": "/plan", "mode": "ro"}, str(HERE): {"bind": "/tests", "mode": "ro"}}
        settings = {**HARDENED, "entrypoint": words[:1], "command": words[1:], "volumes": volumes, **settings}
        made = self.docker.containers.run(self.image, network_mode=f"container:{self.container.id}", **settings)
        try:
            code = made.wait(timeout=timeout_s)["StatusCode"]
            said = made.logs(stdout=True, stderr=False).decode()
            assert code == 0, made.logs().decode() + self.container.logs().decode()
        finally:
            made.remove(force=True)
        return said

    def play(self, folder: str, modes: dict[int, str]) -> dict[str, Any]:
        order = json.dumps({"folder": folder, "modes": modes})
        return json.loads(self.beside(["python3", "/tests/servers_client.py", order]).splitlines()[-1])


@pytest.fixture(scope="module")
def docker_client() -> Iterator[Any]:
    docker = pytest.importorskip("docker")
    client = docker.from_env()
    yield client
    for left in client.containers.list(all=True, filters={"label": "droidrange.dev=servers-test"}):
        with contextlib.suppress(docker.errors.APIError):
            left.remove(force=True)
    client.close()


@pytest.fixture(scope="module")
def internet(docker_client: Any, image: str, tmp_path_factory: pytest.TempPathFactory) -> Internet:
    folder = tmp_path_factory.mktemp("plans")
    folder.chmod(0o755)
    return Internet(docker_client, image, folder)


ROWS = ((0, 300, 2_000, 20_000), (200_000, 250, 60_000, 50_000), (400_000, 900, 400, 10_000))
STREAM = ((50_000, 300, 5_000, 20_000), (300_000, 0, 700, 10_000), (500_000, 800, 300_000, 5_000))
TALKS = [
    Talk(0, "http", ("198.18.0.10", 80), ROWS),
    Talk(1, "http", ("198.18.0.11", 443), ROWS, tls=True, name="www.shop.example", options={"alpn": "http/1.1"}),
    Talk(2, "http", ("198.18.0.11", 443), ((0, 6_000, 0, 9_000),), tls=True, name="www.shop.example"),
    Talk(3, "websocket", ("198.18.0.12", 443), STREAM, tls=True, name="ws.chat.example"),
    Talk(4, "websocket", ("198.18.0.12", 80), ((9_000, 20, 20, 30_000), (0, 0, 9, 90_000)), options={"ping_below": "99"}),
    Talk(5, "smtp", ("198.18.0.13", 465), ((100_000, 2_000, 300, 80_000),), tls=True, name="smtp.post.example"),
    Talk(6, "imap", ("198.18.0.14", 993), STREAM, tls=True, name="imap.post.example"),
    Talk(7, "socks5", ("198.18.0.15", 1080), STREAM, options={"user": "a", "password": "b"}),
    Talk(8, "connect", ("198.18.0.15", 3128), STREAM, options={"target": "a.example:443"}),
    Talk(9, "mux", ("198.18.0.16", 443), STREAM, tls=True),  # no name: the leaf of the address
    Talk(10, "push", ("198.18.0.17", 5228), STREAM, tls=True, name="mtalk.push.example"),
    Talk(11, "opaque", ("198.19.255.254", 9000), STREAM),  # also the control port's number
    Talk(12, "datagram", ("198.18.0.18", 51820), ((0, 148, 92, 9_000), (100_000, 1_000, 4_000, 9_000))),
    Talk(13, "dns", ("198.18.0.53", 53), ((0, 0, 0, 12_000),), name="www.shop.example"),
    Talk(14, "dns", ("198.18.0.53", 53), ((0, 90, 500, 30_000),), name="t.tunnel.example", options={"qtype": "TXT"}),
]  # fmt: skip
THROUGH_GATEWAY, LATE = {0, 3}, {1, 6, 12}


@pytest.fixture(scope="module")
def played(internet: Internet) -> dict[str, Any]:
    plans.write_folder(internet.folder / "all", TALKS)
    modes = {
        talk.n: "gateway" if talk.n in THROUGH_GATEWAY else "late" if talk.n in LATE else "direct" for talk in TALKS
    }
    return internet.play("all", modes)


@pytest.mark.parametrize("talk", TALKS, ids=lambda talk: f"{talk.n}-{talk.protocol}")
def test_sizes_and_delays_are_the_scripts(played: dict[str, Any], talk: Any) -> None:
    rows = played["rows"][str(talk.n)]
    assert isinstance(rows, list), rows
    assert rows
    for got, wanted, late_s, due_s, pushed in rows:
        assert got == wanted
        if not pushed:
            assert due_s - 0.002 <= late_s <= due_s + SLOW_S


def test_the_report_counts_every_conversation_and_no_fault(played: dict[str, Any]) -> None:
    found = played["report"]["conversations"]
    assert {n: row["error"] for n, row in found.items() if row["error"]} == {}
    assert set(found) == {str(talk.n) for talk in TALKS}
    assert all(row["received"] > 0 and row["sent"] > 0 for row in found.values())
    assert played["report"]["strays"] == {}


def test_memory_of_the_process(internet: Internet, played: dict[str, Any]) -> None:
    used = internet.container.stats(stream=False)["memory_stats"]["usage"]
    assert played
    assert used < 150 << 20
