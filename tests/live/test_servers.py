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
SLOW_S = 0.25  # what this machine, shared and loaded, may add to half of the delays,
WORST_S = 5.0  # and to any: one stall of a busy machine is no fault of the servers


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

    def beside(self, words: list[str], *, timeout_s: int = 240, **settings: Any) -> str:
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
MAIL = (
    (50_000, 300, 5_000, 0),
    (300_000, 0, 700, 0),
    (500_000, 50, 50, 0),
    (600_000, 40_000, 300, 0),
    (800_000, 100, 30_000, 0),
    (810_000, 100, 9_000, 0),
)
TALKS = [
    Talk(0, "http", ("198.18.0.10", 80), ROWS),
    Talk(1, "http", ("198.18.0.11", 443), ROWS, tls=True, name="www.shop.example", options={"alpn": "http/1.1"}),
    Talk(2, "http", ("198.18.0.11", 443), ((0, 6_000, 0, 9_000),), tls=True, name="www.shop.example"),
    Talk(3, "websocket", ("198.18.0.12", 443), STREAM, tls=True, name="ws.chat.example"),
    Talk(4, "websocket", ("198.18.0.12", 80), ((9_000, 20, 20, 30_000), (0, 0, 9, 90_000)), options={"ping_below": "99"}),
    Talk(5, "smtp", ("198.18.0.13", 465), ((100_000, 2_000, 300, 80_000),), tls=True, name="smtp.post.example"),
    Talk(6, "imap", ("198.18.0.14", 993), MAIL, tls=True, name="imap.post.example"),
    Talk(15, "imap", ("198.18.0.14", 143), MAIL, options={"idle": "no"}),
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
    for place, (got, wanted, late_s, due_s, pushed) in enumerate(rows):
        assert got == wanted
        early_s = 0.01 if place else 0.02  # a greeting counts from when the server's end stands, not the client's
        if not pushed:
            assert due_s - early_s <= late_s <= due_s + WORST_S


def test_what_is_added_to_delays_is_little(played: dict[str, Any]) -> None:
    rows = [row for talk in TALKS for row in played["rows"][str(talk.n)]]
    added = sorted(late_s - due_s for _, _, late_s, due_s, pushed in rows if not pushed)
    assert len(added) > 20
    assert added[len(added) // 2] < SLOW_S


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


DAEMONS = {
    "mqtt": ("198.18.1.1", 8883),
    "socks-peer": ("198.18.1.2", 1080),
    "turn": ("198.18.1.3", 3478),
    "mailbox": ("198.18.1.4", 143),
}


def test_debians_daemons_are_spoken_to(internet: Internet) -> None:
    web = ("198.18.1.5", 80)
    places = [
        {"address": a, "port": p, "transport": "tcp", "protocol": k, "tls": k == "mqtt", "alpn": []}
        for k, (a, p) in DAEMONS.items()
    ]
    plans.write_folder(internet.folder / "daemons", [Talk(0, "http", web, ROWS)], places)
    order = json.dumps({**DAEMONS, "web": web})
    found = json.loads(internet.beside(["python3", "/tests/servers_daemons.py", order]).splitlines()[-1])
    assert found["planned"]["daemons"] == sorted(DAEMONS)
    assert found["report"]["daemons"] == dict.fromkeys(DAEMONS, True)
    assert found["mqtt"] == "hello"
    assert found["socks"].startswith("HTTP/1.1 404")
    assert found["imap"] == ["* OK", "a OK", "b OK", "* 1 EXISTS", "c OK"]
    assert found["turn"] == DAEMONS["turn"][0]
    assert found["finish"]["ok"]


INBOUND = ((400_000, 400, 900, 5_000), (700_000, 300, 2_000, 5_000))
STRANGERS = [
    Talk(0, "socks5", ("10.88.1.10", 1080), INBOUND, client="203.0.113.7", inbound=True, options={"target": "198.18.2.1:443"}),
    Talk(1, "opaque", ("198.18.2.1", 443), INBOUND, tls=True, via=0),
    Talk(2, "connect", ("10.88.1.10", 3128), INBOUND, client="203.0.113.8", inbound=True, options={"target": "198.18.2.2:80"}),
    Talk(3, "http", ("198.18.2.2", 80), INBOUND, via=2),
    Talk(4, "opaque", ("10.88.1.10", 7000), INBOUND, client="203.0.113.9", inbound=True),
    Talk(5, "opaque", ("10.88.1.10", 7001), INBOUND, client="203.0.113.9", inbound=True),  # nobody listens there
]  # fmt: skip


def test_strangers_dial_in_and_speak_through_the_phones_proxies(internet: Internet) -> None:
    plans.write_folder(internet.folder / "strangers", STRANGERS)
    run = arguments("strangers", internet.folder, address="127.0.0.1", host="127.0.0.1", gateway=GATEWAY)
    run.pop("address")
    run["command"] += ["--port", "9001"]
    mode = f"container:{internet.container.id}"
    internet.beside(["ip", "route", "add", "local", "203.0.113.0/24", "dev", "lo"], user="root", cap_add=["NET_ADMIN"])
    strangers = internet.docker.containers.run(internet.image, network_mode=mode, **run, **HARDENED)
    try:
        found = json.loads(internet.beside(["python3", "/tests/servers_strangers.py"]).splitlines()[-1])
    finally:
        strangers.remove(force=True)
    inward, outward = found["strangers"]["conversations"], found["servers"]["conversations"]
    assert {n: row["error"] for n, row in inward.items() if row["error"]}.keys() == {"5"}
    assert "Refused" in inward["5"]["error"]
    assert {n: row["error"] for n, row in outward.items() if row["error"]} == {}
    for n in ("1", "3"):  # what one side has said, the other has heard
        assert outward[n]["received"] == inward[n]["sent"] > 600
        assert outward[n]["sent"] == inward[n]["received"] > 2_800
    assert {n: place[0] for n, place in found["dialled"]["dialled"].items()} == {
        str(one.n): one.client for one in STRANGERS if one.inbound
    }
    assert found["peers"]["4"] == found["dialled"]["dialled"]["4"]


ODD = [
    Talk(0, "http", ("198.18.3.1", 443), ((0, 300, 2_000, 20_000), (1, 300, 60_000, 50_000)), tls=True, name="h2.shop.example", options={"alpn": "h2 http/1.1"}),
    Talk(1, "dns", ("198.18.3.53", 53), ((0, 0, 0, 12_000),), name="www.two.example", options={"answer": "198.18.3.7"}),
    Talk(2, "dns", ("198.18.3.53", 53), ((0, 0, 0, 12_000),), name="www.two.example", options={"answer": "198.18.3.8"}),
    Talk(3, "http", ("198.18.3.2", 80), ROWS),
    Talk(4, "opaque", ("198.18.3.3", 4444), ROWS),
]  # fmt: skip


def test_http2_names_over_tcp_and_what_nobody_claims(internet: Internet) -> None:
    plans.write_folder(internet.folder / "odd", ODD)
    found = json.loads(internet.beside(["python3", "/tests/servers_odd.py"]).splitlines()[-1])
    assert found["h2"]["alpn"] == "h2"
    assert found["h2"]["statuses"] == ["200", "200"]
    assert found["h2"]["sizes"] == pytest.approx({"1": 2_000, "3": 60_000, "0": 0}, abs=40)  # a digit, a frame head
    for delay, due in zip(found["h2"]["delays"], (0.06, 0.09), strict=True):
        assert due - 0.01 <= delay <= due + WORST_S
    assert found["tcp"] == ["198.18.3.7", "198.18.3.8", "198.18.3.8", "REFUSED"]
    web, opaque, nothing = found["unclaimed"]
    assert web.startswith("HTTP/1.1 404")
    assert (opaque, nothing) == ("ConnectionResetError", "ConnectionResetError")
    assert found["report"]["strays"] == {"unclaimed": 2, "no service": 1, "dns: refused": 1}


def test_what_dovecot_does_not_understand_it_says_itself(internet: Internet) -> None:
    """The negative control of IMAP: a script that is no IMAP is not played as if it were."""
    talk = Talk(0, "imap", ("198.18.4.1", 143), ((0, 50, 50, 0),), options={"idle": "no"})
    folder = plans.write_folder(internet.folder / "bad", [talk])
    payload = (folder / "payload.bin").read_bytes()
    assert payload.count(b" NOOP\r\n") == 1
    (folder / "payload.bin").write_bytes(payload.replace(b" NOOP\r\n", b" NUUP\r\n"))
    found = internet.play("bad", {0: "direct"})
    assert "dovecot said b'A0003 BAD" in found["report"]["conversations"]["0"]["error"]
    assert found["rows"]["0"][-1][0] > found["rows"]["0"][-1][1] == 15
